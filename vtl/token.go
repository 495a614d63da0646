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

// wordKind returns what token of its own a word is in directives, tokenEnd if it is none.
func wordKind(word string) tokenKind {
	switch word {
	case "true":
		return tokenTrue
	case "false":
		return tokenFalse
	case "not":
		return tokenNot
	case "or":
		return tokenOr
	case "and":
		return tokenAnd
	case "eq":
		return tokenEqual
	case "ne":
		return tokenUnequal
	case "lt":
		return tokenLess
	case "le":
		return tokenAtMost
	case "gt":
		return tokenGreater
	case "ge":
		return tokenAtLeast
	}
	return tokenEnd
}

// offerSign offers the operators and what else is in directives.
func offerSign(c *candidate, rest string) {
	second := byte(0)
	if len(rest) > 1 {
		second = rest[1]
	}
	either := func(with byte, long, short tokenKind) {
		if second == with {
			c.offer(long, 2)
		} else if short != tokenEnd {
			c.offer(short, 1)
		}
	}
	switch rest[0] {
	case '|':
		either('|', tokenOr, tokenEnd)
	case '&':
		either('&', tokenAnd, tokenEnd)
	case '=':
		either('=', tokenEqual, tokenEquals)
	case '!':
		either('=', tokenUnequal, tokenNot)
	case '<':
		either('=', tokenAtMost, tokenLess)
	case '>':
		either('=', tokenAtLeast, tokenGreater)
	case '+':
		c.offer(tokenPlus, 1)
	case '-':
		c.offer(tokenMinus, 1)
	case '*':
		c.offer(tokenTimes, 1)
	case '/':
		c.offer(tokenDivide, 1)
	case '%':
		c.offer(tokenModulo, 1)
	case '(':
		c.offer(tokenOpen, 1)
	}
}

// offerBracket offers the tokens that lists, maps and arguments have in common.
func offerBracket(c *candidate, rest string) {
	switch rest[0] {
	case '[':
		c.offer(tokenOpenList, 1)
	case ']':
		c.offer(tokenCloseList, 1)
	case ',':
		c.offer(tokenComma, 1)
	case ':':
		c.offer(tokenColon, 1)
	case '{':
		c.offer(tokenOpenMap, 1)
	case '}':
		c.offer(tokenCloseMap, 1)
	case '.':
		if len(rest) > 1 && rest[1] == '.' {
			c.offer(tokenDots, 2)
		}
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isNamePart(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' || c == '-' }

func isWordPart(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' || c == '@' }
