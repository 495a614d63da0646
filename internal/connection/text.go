package connection

import "unicode/utf8"

// checkText checks the text of a message as it grows. It returns how many bytes from the
// start are whole characters, and whether what stands behind them may still become one.
// The bytes before checked have been checked already.
func checkText(text []byte, checked int) (int, bool) {
	end := len(text)
	// Only the last three bytes can be the start of a character that is not whole.
	for i := end - 1; i >= checked && i >= end-(utf8.UTFMax-1); i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRune(text[i:]) {
				end = i
			}
			break
		}
	}
	return end, utf8.Valid(text[checked:end])
}

// replaceInvalid returns the text with U+FFFD for each byte that is part of no character.
func replaceInvalid(text []byte) []byte {
	valid := make([]byte, 0, len(text)+len(text)/2)
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		valid = utf8.AppendRune(valid, r)
		text = text[n:]
	}
	return valid
}
