/**
 * A text as one word of a command line that people copy: in quotes where a shell would read more into it.
 * For whatever is printed as a command; messages that only name a path leave it as it is.
 */
export function shellWord(text: string): string {
  return /^[\w./%+:@,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
