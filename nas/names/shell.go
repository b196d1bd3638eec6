package names

import (
	"fmt"
	"strings"
)

// Command is a command line of such words for a POSIX shell, in one line whatever is in them:
//
//	darts train --resume 'my runs/a b'
func Command(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = Shell(word)
	}
	return strings.Join(quoted, " ")
}

// Shell quotes a word for a shell where that is needed. A word with characters that are not for
// printing is written in Bash's form $'...', which Zsh and POSIX 2024 have too.
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
