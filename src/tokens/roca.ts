// Recognises RSA keys of the broken Infineon library (CVE-2017-15361, "ROCA"): their factors can be computed.
// Its primes were powers of 65537 modulo a product of small primes, and so is their product, the modulus.

const smallPrimes = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

const fingerprints = smallPrimes.map((prime) => ({ prime: BigInt(prime), powers: powersOf65537(prime) }));

/** Whether a modulus bears the mark. A sound one does by chance once in about 2^27. */
export function isRocaModulus(modulus: bigint): boolean {
  return fingerprints.every(({ prime, powers }) => powers.has(Number(modulus % prime)));
}

function powersOf65537(prime: number): Set<number> {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * 65537) % prime) powers.add(power);
  return powers;
}
