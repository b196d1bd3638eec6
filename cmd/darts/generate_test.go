package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestGenerateCommand(t *testing.T) {
	// A text begins with the prompt, has as many words after it as asked for, and is the same for the same seed; a network of images writes none.
	dir := filepath.Join(t.TempDir(), "run")
	execute(t, "train", writeFile(t, "text.yaml", tinyTextTraining), "--threads", "1", "--out", dir)
	all := execute(t, "generate", dir, "--words", "40", "--seed", "5")
	word := strings.Fields(all)[0]
	text := execute(t, "generate", dir, "--prompt", word+" "+word, "--words", "40", "--temperature", "0.5")
	if !strings.HasPrefix(text, word+" "+word) || !strings.HasSuffix(text, "\n") {
		t.Errorf("got %q", text)
	}
	if n := len(strings.Fields(all)) + strings.Count(all, "\n"); n < 40 || n > 41 { // the last line may have no end
		t.Errorf("%d words: %q", n, all)
	}
	if again := execute(t, "generate", dir, "--words", "40", "--seed", "5"); again != all {
		t.Errorf("again %q, before %q", again, all)
	}
}
