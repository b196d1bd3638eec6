package device

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestPowerCut(t *testing.T) {
	// A power cut leaves synced contents, with all names or those of synced folders, after files were written, renamed and removed.
	calls := someCalls(t)
	for _, test := range []struct {
		name          string
		after         int
		durable, torn bool
		want          map[string]string
	}{
		{"the folder is not synced", 6, true, false, map[string]string{}},
		{"names are there", 5, false, false, map[string]string{"run/a": "one"}},
		{"before the sync", 3, false, false, map[string]string{"run/.a1": ""}},
		{"half before the sync", 3, false, true, map[string]string{"run/.a1": "o"}},
		{"synced folders", 9, true, false, map[string]string{"run/a": "one"}},
		{"only contents", 9, false, false, map[string]string{"run/a": "one", "run/log": ""}},
		{"half", 10, false, true, map[string]string{"run/a": "one", "run/log": "123"}},
		{"removed, but not for good", 11, true, false, map[string]string{"run/a": "one"}},
		{"removed", 11, false, false, map[string]string{"run/log": ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, dir := New("tmp"), t.TempDir()
			for _, call := range calls[:test.after] {
				d.Apply(call)
			}
			if err := d.AfterCut(dir, Loss{Durable: test.durable, Torn: test.torn}); err != nil {
				t.Fatal(err)
			}
			got := contents(t, dir)
			if len(got) != len(test.want) {
				t.Errorf("left %q, want %q", got, test.want)
			}
			for name, text := range test.want {
				if left, ok := got[name]; !ok || left != text {
					t.Errorf("left %q, want %q", got, test.want)
				}
			}
		})
	}
}

func TestSums(t *testing.T) {
	// Kills and power cuts have the same sum exactly if they leave the same files and folders.
	left := map[[sha256.Size]byte]string{}
	sums := map[string][sha256.Size]byte{}
	d := New("tmp")
	for n, call := range someCalls(t) {
		d.Apply(call)
		for _, cut := range []Loss{{None: true}, {Durable: true}, {}, {Torn: true}} {
			dir := t.TempDir()
			if err := d.AfterCut(dir, cut); err != nil {
				t.Fatal(err)
			}
			_, err := os.Stat(filepath.Join(dir, "run"))
			text := fmt.Sprint(err == nil, contents(t, dir))
			sum := d.Sum(cut)
			if other, ok := left[sum]; ok && other != text {
				t.Errorf("call %d: the same sum for %s and %s", n+1, text, other)
			}
			if other, ok := sums[text]; ok && other != sum {
				t.Errorf("call %d: another sum for %s", n+1, text)
			}
			left[sum], sums[text] = text, sum
		}
	}
	if len(left) < 6 {
		t.Errorf("%d different folders", len(left))
	}
}

// someCalls are file calls of all kinds.
func someCalls(t *testing.T) []Call {
	t.Helper()
	calls, err := Parse(`7 mkdirat(AT_FDCWD</r>, "run", 0755) = 0
7 openat(AT_FDCWD</r>, "\x72un/.a1", O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0600) = 3</r/run/.a1>
7 write(3</r/run/.a1>, "\x6f\x6e\x65", 3 <unfinished ...>
8 write(1</dev/null>, "\x78", 1) = 1
8 write(2<pipe:[7]>, "\x78", 1) = 1
7 <... write resumed>)                    = 3
7 fsync(3</r/run/.a1>) = 0
7 renameat(AT_FDCWD</r>, "/r/run/.a1", AT_FDCWD</r>, "/r/run/a") = 0
7 fsync(4</r/run>) = 0
7 openat(AT_FDCWD</r>, "run/log", O_WRONLY|O_CREAT|O_APPEND|O_CLOEXEC, 0644) = 5</r/run/log>
7 write(5</r/run/log>, "\x31\x32\x33\x34", 4) = 4
7 fsync(6</r>) = 0
7 unlinkat(AT_FDCWD</r>, "/r/run/none", 0) = -1 ENOENT (No such file or directory)
7 write(5</r/run/log>, "\x35\x36", 2) = 2
7 unlinkat(AT_FDCWD</r>, "run/a", 0) = 0
`, "/r")
	if err != nil {
		t.Fatal(err)
	}
	return calls
}

// contents reads all files of a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		got[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}
