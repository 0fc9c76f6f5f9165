import { binByDistance } from "../measure/feature_distance.ts";
import { PRETRAIN } from "./plan.ts";
import type { Analysis, CellResult, SplitResult } from "./results.ts";
import { meanAndDeviation } from "./summarise.ts";

/** Bins of figures 4 and 5. */
const BINS = 5;
/** Methods that the figures are means of, and people in figure 6 (Sec. 5.4, 5.5). */
const TOP_METHODS = 3;
const HARDEST = 5;

/** Figures 4 to 6 for every data set and number of people that has a method measured. */
export function analyse(
  splits: readonly SplitResult[],
  cells: readonly CellResult[],
): Analysis[] {
  const groups = Map.groupBy(splits, ({ data, forget }) => JSON.stringify([data, forget]));
  return [...groups.values()].flatMap((own) => {
    const { data, forget } = own[0];
    const methods = topMethods(
      cells.filter((cell) =>
        cell.data === data && cell.forget === forget && cell.method !== PRETRAIN
      ),
    );
    if (methods.length === 0) return [];
    const cellsOf = ({ data, forget, seed }: SplitResult) =>
      cells.filter((cell) =>
        cell.data === data && cell.forget === forget && cell.seed === seed &&
        methods.includes(cell.method)
      );
    const points = (pointsOf: (split: SplitResult, outcomes: readonly CellResult[]) => Point[]) =>
      own.flatMap((split) => {
        const outcomes = cellsOf(split);
        return outcomes.length === 0 ? [] : pointsOf(split, outcomes);
      });
    const mean = (values: readonly number[]) => meanAndDeviation(values).mean;
    return [{
      data,
      forget,
      methods,
      hardness: binByDistance(
        points((split, outcomes) =>
          split.forgotten.map(({ supportDistance, retrained }, i) => ({
            distance: supportDistance,
            value: mean(outcomes.map(({ forgotten }) => forgotten[i].metric)) - retrained.metric,
          }))
        ),
        BINS,
      ),
      retainDrop: binByDistance(
        points((split, outcomes) =>
          split.retained.map(({ distance, original }, i) => ({
            distance,
            value: original.metric - mean(outcomes.map(({ retained }) => retained[i].metric)),
          }))
        ),
        BINS,
      ),
      hardest: own.flatMap(({ seed, forgotten }) =>
        forgotten.map(({ identity, supportDistance, support, files }) => ({
          seed,
          identity,
          supportDistance,
          support,
          files,
        }))
      ).sort((a, b) => b.supportDistance - a.supportDistance).slice(0, HARDEST),
    }];
  });
}

interface Point {
  readonly distance: number;
  readonly value: number;
}

/** The methods with the highest mean Tug-of-War. */
function topMethods(cells: readonly CellResult[]): string[] {
  return [...Map.groupBy(cells, ({ method }) => method)]
    .map(([method, own]) => ({
      method,
      tugOfWar: meanAndDeviation(own.map(({ tugOfWar }) => tugOfWar)).mean,
    }))
    .sort((a, b) => b.tugOfWar - a.tugOfWar)
    .slice(0, TOP_METHODS)
    .map(({ method }) => method);
}
