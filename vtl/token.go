package vtl

// A tokenKind says what a token is.
type tokenKind uint8

const (
	tokenEnd           tokenKind = iota // of the text
	tokenText                           // without "$", "#" and backslashes
	tokenSlash                          // "\"
	tokenSlashes                        // "\\"
	tokenEscaped                        // "\#word"
	tokenEmptyIndex                     // "$[" and "$."
	tokenLineComment                    // "##"
	tokenLineEnd                        // of a comment
	tokenComment                        // "*#"
	tokenFormalComment                  // "*#" of "#**"
	tokenRaw                            // "#[[ ... ]]#"
	tokenSet                            // "#set("
	tokenIf                             // "#if"
	tokenElseIf                         // "#elseif"
	tokenElse                           // "#else" with the rest of its line, if that is blank
	tokenEndDirective                   // "#end" with the rest of its line, if that is blank
	tokenWord                           // of a directive; a hash before it belongs to it
	tokenBracedWord                     // "{word}"
	tokenName                           // of a variable, a property or a method
	tokenDot                            // before a name
	tokenOpenBrace                      // "{" of a reference
	tokenCloseBrace                     // "}" of a reference
	tokenOpenIndex                      // "[" of a reference
	tokenCloseIndex                     // "]" of a reference
	tokenOpen                           // "("
	tokenClose                          // ")" of a directive, with the rest of its line, if that is blank
	tokenCloseCall                      // ")" of a method
	tokenOpenList                       // "["
	tokenCloseList                      // "]"
	tokenOpenMap                        // "{"
	tokenCloseMap                       // "}"
	tokenComma
	tokenColon
	tokenDots  // ".."
	tokenBlank // spaces, tabs and lines
	tokenString
	tokenInteger
	tokenFloat
	tokenTrue
	tokenFalse
	tokenNot
	tokenEquals
	tokenOr // and what follows: the operators in their order
	tokenAnd
	tokenEqual
	tokenUnequal
	tokenLess
	tokenAtMost
	tokenGreater
	tokenAtLeast
	tokenPlus
	tokenMinus
	tokenTimes
	tokenDivide
	tokenModulo
	// What follows is in no token by itself.
	more        // it belongs to the next one
	moreRaw     // "#[["
	moreFormal  // "#**" and a character that does not belong to it
	moreComment // "#*"
	moreHash    // "#"
	moreDollar  // "$" after backslashes, with a "!" or not
	skipped     // in a comment
	terminator  // the character after a dollar or a hash that it does not belong to
)

// operator returns the operator that a token is.
func (k tokenKind) operator() (operator, bool) {
	return operator(k - tokenOr), k >= tokenOr && k <= tokenModulo
}

// A token is a piece of a template. It begins with what was more of it.
type token struct {
	kind       tokenKind
	start, end int    // in the text
	image      string // what it stands for where its text is wanted
	special    string // dollars and hashes before it that mean nothing
}

// literal returns the text of the token with the dollars and hashes before it.
func (t *token) literal() string {
	if t.kind == tokenComment {
		return ""
	}
	return t.special + t.image
}

// words are those that are tokens of their own in directives.
var words = map[string]tokenKind{
	"true": tokenTrue, "false": tokenFalse, "not": tokenNot, "or": tokenOr, "and": tokenAnd,
	"eq": tokenEqual, "ne": tokenUnequal, "lt": tokenLess, "le": tokenAtMost,
	"gt": tokenGreater, "ge": tokenAtLeast,
}

// signs are the operators and what else is in directives, by one or two characters.
var signs = map[string]tokenKind{
	"||": tokenOr, "&&": tokenAnd, "==": tokenEqual, "!=": tokenUnequal, "<": tokenLess,
	"<=": tokenAtMost, ">": tokenGreater, ">=": tokenAtLeast, "+": tokenPlus, "-": tokenMinus,
	"*": tokenTimes, "/": tokenDivide, "%": tokenModulo, "!": tokenNot, "=": tokenEquals,
	"(": tokenOpen,
}

// brackets are the tokens that lists, maps and arguments have in common.
var brackets = map[string]tokenKind{
	"[": tokenOpenList, "]": tokenCloseList, ",": tokenComma, "..": tokenDots,
	":": tokenColon, "{": tokenOpenMap, "}": tokenCloseMap,
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isNamePart(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' || c == '-' }

func isWordPart(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' || c == '@' }
