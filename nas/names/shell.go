package names

import (
	"fmt"
	"strings"
)

// Command returns a command line of these words for a POSIX shell. It is one line, whatever the
// words hold:
//
//	darts train --resume 'my runs/a b'
func Command(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = Shell(word)
	}
	return strings.Join(quoted, " ")
}

// Shell quotes a word for a shell where that is needed. It writes a word with characters that
// Escape replaces in Bash's form $'...', which Zsh and POSIX 2024 have too.
func Shell(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:=+@%"
	switch {
	case word != "" && strings.Trim(word, plain) == "":
		return word
	case Escape(word) == word:
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for at := range len(word) {
		switch c := word[at]; {
		case c == '\'', c == '\\':
			b.WriteString(`\` + string(c))
		case c >= ' ' && c < 0x7f:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\%03o`, c)
		}
	}
	return "$'" + b.String() + "'"
}
