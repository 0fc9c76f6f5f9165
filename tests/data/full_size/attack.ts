import { membershipAttack } from "../../../lib/measure/membership.ts";
import { forgettingVerdict } from "../../../lib/measure/verdict.ts";
import { Random } from "../../../lib/random.ts";

/** RMIA and the verdict on drawn losses: 20 people of 20 images each against so many test images. */
function attack(testImages: number) {
  const random = new Random(0, "rmia at full size");
  const images = (count: number, people: number, shift: number) => ({
    identities: Array.from({ length: count }, (_, i) => `${shift} ${i % people}`),
    target: Float64Array.from({ length: count }, () => Math.abs(random.normal() + 1 + shift / 10)),
    reference: Float64Array.from({ length: count }, () => Math.abs(random.normal() + 1)),
  });
  const people = Math.ceil(testImages / 20);
  const [members, others, z] = [
    images(400, 20, -3),
    images(testImages, people, 0),
    images(testImages, people, 1),
  ];
  const { auc, aucInterval, tpr, tprInterval, roc } = membershipAttack(members, others, z, {
    random: random.fork("attack"),
  });
  const compared = ({ identities, target, reference }: typeof members) => ({
    ...{ identities, unlearned: target, retrained: reference },
  });
  const verdict = forgettingVerdict(compared(members), compared(others), {
    random: random.fork("verdict"),
    draws: 1000,
  });
  console.log(JSON.stringify({ auc, aucInterval, tpr, tprInterval, points: roc.length, verdict }));
}

// deno run -A tests/data/full_size/attack.ts IMAGES
if (import.meta.main) attack(Number(Deno.args[0]));
