// The words that an app closes its routes with: the verbs of the guard, each as the function that one framework takes.
import { StartError } from '../errors.ts';
import { milliseconds } from '../setting-values.ts';
import {
  type Authority,
  type Caller,
  type GuardOptions,
  type RefreshCaller,
  type Verb,
  verbsOf,
} from './guard.ts';

/** What a framework's word is, as a function of who asks: an interface that extends this one and says `word` by `this['who']`. */
export interface WordKind {
  readonly who: unknown;
  readonly word: unknown;
}

/** The word of a framework for one kind of caller. */
export type Word<Kind extends WordKind, Who> = (Kind & { readonly who: Who })['word'];

/** How long ago the password may have been given. */
export interface Within {
  /** A length of time such as `5m`. */
  readonly within: string;
}

/** One word for each thing that a route can insist on. */
export interface Guard<Kind extends WordKind, User> {
  /** A good access token. The handler knows who asks. */
  readonly required: Word<Kind, Caller<User>>;
  /** A good access token or none; with none, who asks is null. A bad one is refused. */
  readonly optional: Word<Kind, Caller<User> | null>;
  /** A password given a moment ago (RFC 9470): within the setting `freshWithin`, or `fresh({ within: '5m' })`. */
  readonly fresh: Word<Kind, Caller<User>> & ((within: Within) => Word<Kind, Caller<User>>);
  /** A refresh token, to be given to `refresh`. */
  readonly refresh: Word<Kind, RefreshCaller>;
  /** A token that carries all of these scopes. */
  scope(...scopes: [string, ...string[]]): Word<Kind, Caller<User>>;
  /** A token that carries one of these scopes. */
  anyScope(...scopes: [string, ...string[]]): Word<Kind, Caller<User>>;
}

/** Makes a framework's word out of a verb. */
export type MakeWord = <Who>(verb: Verb<Who>) => (...given: never[]) => unknown;

/** The words of one framework. Its words throw `StartError` for a length of time or a scope that is none. */
export function wordsOf<Kind extends WordKind, User>(
  authority: Authority<User>,
  options: GuardOptions,
  make: MakeWord,
): Guard<Kind, User> {
  const verbs = verbsOf(authority, options);
  const word = <Who>(verb: Verb<Who>): Word<Kind, Who> => make(verb) as Word<Kind, Who>;
  const fresh = make(verbs.fresh()) as (...given: unknown[]) => unknown;
  return {
    required: word(verbs.required),
    optional: word(verbs.optional),
    fresh: ((...given: unknown[]) =>
      isWithin(given) ? make(verbs.fresh(lengthOf(given[0]))) : fresh(...given)) as Guard<
      Kind,
      User
    >['fresh'],
    refresh: word(verbs.refresh),
    scope: (...scopes) => word(verbs.scope(namesOf(scopes))),
    anyScope: (...scopes) => word(verbs.scope(namesOf(scopes), 'any')),
  };
}

/** RFC 6749 section 3.3. All of no scopes is what every token carries: a list that came out empty would open the route. */
function namesOf(scopes: readonly string[]): readonly string[] {
  const isName = (scope: unknown) => typeof scope === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope);
  if (scopes.length === 0 || !scopes.every(isName))
    throw new StartError(
      "scope() and anyScope() take names of scopes. Write, for example, scope('posts:read', 'posts:write').",
    );
  return scopes;
}

function isWithin(given: readonly unknown[]): given is [Within] {
  const [first, ...rest] = given;
  if (typeof first !== 'object' || first === null || !('within' in first)) return false;
  // Taken for the options of a route it would be passed over, and the default hold in its place.
  if (rest.length > 0)
    throw new StartError("Write fresh({ within: '5m' })(handler): the length of time stands by itself.");
  return true;
}

function lengthOf({ within }: Within): number {
  const value = milliseconds(within);
  if (value === null)
    throw new StartError(
      "fresh({ within }) is not a length of time. Write, for example, fresh({ within: '5m' }).",
    );
  return value;
}
