package corpus

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"godarts/nas/rng"
)

// syntheticLines are the numbers of lines of the splits.
var syntheticLines = [3]int{2000, 300, 300}

// syntheticTexts makes the splits of a text for trials without a file. The first noun of a
// sentence decides its verb, so that a network has something to remember.
func syntheticTexts() (contents [3][]byte) {
	for i, name := range []string{"train", "valid", "test"} {
		var b strings.Builder
		for line := range syntheticLines[i] {
			b.WriteString(sentence(rng.Stream(0, "synthetic-text."+name, line)))
			b.WriteByte('\n')
		}
		contents[i] = []byte(b.String())
	}
	return contents
}

// sentence draws a sentence.
func sentence(r *rand.Rand) string {
	nouns := []string{"dog", "cat", "bird", "fish", "horse", "child", "teacher", "painter"}
	verbs := []string{"chases", "watches", "greets", "ignores", "follows", "finds", "hears", "draws"}
	adjectives := []string{"small", "old", "quick", "quiet", "green", "tired"}
	phrase := func(noun int) string {
		article := []string{"the", "a"}[r.IntN(2)]
		if r.IntN(2) == 0 {
			return article + " " + nouns[noun]
		}
		return article + " " + adjectives[r.IntN(len(adjectives))] + " " + nouns[noun]
	}
	subject := r.IntN(len(nouns))
	text := fmt.Sprintf("%s %s %s", phrase(subject), verbs[subject], phrase(r.IntN(len(nouns))))
	if r.IntN(3) == 0 {
		text += " in the garden"
	}
	return text
}
