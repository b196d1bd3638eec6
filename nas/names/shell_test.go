package names_test

import (
	"os/exec"
	"strings"
	"testing"

	"godarts/nas/names"
)

// words need quotes in a shell, except the first.
var words = []struct{ word, want string }{
	{"runs/darts-20260102-030405", "runs/darts-20260102-030405"},
	{"my runs/a b", `'my runs/a b'`},
	{"", "''"},
	{"it's", `'it'\''s'`},
	{"$HOME `id` \"x\" \\ ! * ?", "'$HOME `id` \"x\" \\ ! * ?'"},
	{"~/x", "'~/x'"},
	{"größe", "'größe'"},
	{"a\nb", `$'a\012b'`},
	{"it's\x1b[31m\\red1", `$'it\'s\033[31m\\red1'`},
	{"\u202eabc\xff", `$'\342\200\256abc\377'`},
}

func TestShell(t *testing.T) {
	// A word is quoted where a shell would change it, in one printable line.
	for _, test := range words {
		if got := names.Shell(test.word); got != test.want {
			t.Errorf("%q: got %s, want %s", test.word, got, test.want)
		}
	}
	if got, want := names.Command("darts", "train", "--resume", "my runs/a b"), "darts train --resume 'my runs/a b'"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestShellReads(t *testing.T) {
	// Bash reads the same words from the command.
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	args, want := []string{"printf", `%s\0`}, ""
	for _, test := range words {
		args = append(args, test.word)
		want += test.word + "\x00"
	}
	line := names.Command(args...)
	if names.Escape(line) != line {
		t.Errorf("%q is not for printing", line)
	}
	got, err := exec.Command(bash, "-c", line).Output()
	if err != nil || string(got) != want {
		t.Errorf("%v: got %q, want %q", err, got, want)
	}
	if strings.Contains(line, "\n") {
		t.Errorf("%q is not one line", line)
	}
}
