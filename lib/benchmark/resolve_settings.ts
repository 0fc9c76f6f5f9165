import { LetheError } from "../error.ts";
import { TRAINING_RECIPES, type TrainingRecipe } from "../model/recipes.ts";
import { type MetaLearnSettings, PUBLISHED_META_LEARNING } from "../run/meta_learning/settings.ts";
import { methodOf, type MethodSettings, publishedSettings } from "../unlearn/methods.ts";
import type { BaselineMethodSettings, DataSettings, MetaLearningOverrides } from "./settings.ts";

/** The data set's recipe with what the grid changes in it. @throws LetheError there is no such recipe */
export function recipeOf({ recipe: name, training }: DataSettings): TrainingRecipe {
  const recipe = TRAINING_RECIPES.find((recipe) => recipe.name === name);
  if (recipe) return { ...recipe, ...training };
  throw new LetheError(
    `there is no recipe ${name}`,
    `the recipes are ${TRAINING_RECIPES.map(({ name }) => name).join(", ")}`,
    "name one of them",
  );
}

/** A row's candidates, each over the published settings; those alone where it has none. */
export function candidatesOf(
  { method, candidates = [{}] }: BaselineMethodSettings,
  { layout }: DataSettings,
  forget: number,
): MethodSettings[] {
  return candidates.map((candidate) => ({
    ...publishedSettings(methodOf(method), layout, forget),
    ...candidate,
  }));
}

/** Published settings, the data set's and the method's, each over the one before. */
export function metaLearningOf(
  data: DataSettings,
  forget: number,
  method: MetaLearningOverrides = {},
): MetaLearnSettings {
  return {
    ...PUBLISHED_META_LEARNING,
    requestSize: forget === 1 ? data.requestSizeForOne : forget,
    ...data.metaLearning,
    ...method,
  };
}
