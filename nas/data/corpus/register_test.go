package corpus

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRegister(t *testing.T) {
	// A registered text is read from its files, or made, under its name, and its fingerprint names its files.
	before := registered.texts
	t.Cleanup(func() { registered.texts = before })
	files := [3]string{"a.txt", "b.txt", "c.txt"}
	Register(Text{Name: "letters", Folder: "letters", Files: files, Wanted: "three files"})
	Register(Text{Name: "made", Files: files, Contents: func() [3][]byte { return [3][]byte{[]byte("x y"), []byte("y"), []byte("x")} }})
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "letters"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i, content := range []string{"x y", "y"} {
		if err := os.WriteFile(filepath.Join(root, "letters", files[i]), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Options{Name: "letters", Root: root}.Open()
	if want := "data: letters: " + filepath.Join(root, "letters", "c.txt") + ": file does not exist; `darts data get letters` says what is wanted"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := os.WriteFile(filepath.Join(root, "letters", files[2]), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"letters", "made"} {
		c, err := Options{Name: name, Root: root}.Open()
		if err != nil {
			t.Fatal(err)
		}
		want := &Corpus{Name: name, Words: []string{"x", "y", "<eos>"}, Train: []int32{0, 1, 2}, Valid: []int32{1, 2}, Test: []int32{0, 2}}
		if diff := cmp.Diff(want, c); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if part := c.Fingerprint().Parts[1].Name; part != "b.txt" {
			t.Errorf("%s: the fingerprint names %s, want b.txt", name, part)
		}
	}
}

func TestRegisterRefuses(t *testing.T) {
	// Register panics when the name is taken or has spaces, and when a name of a file is missing.
	for _, c := range []struct {
		text Text
		want string
	}{
		{Text{Name: "ptb", Files: splitFiles}, `data: register text "ptb": there is one of that name`},
		{Text{Name: "my text", Files: splitFiles}, `data: register text "my text": want a name without spaces`},
		{Text{Name: "short", Files: [3]string{"a", "b"}}, `data: register text "short": want names of three files`},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
			}()
			Register(c.text)
		}()
	}
}
