package nas_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/plan"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/nas/train"
	"godarts/torch"
)

// runOn runs c and stops it after this many steps; 0 means not at all.
func runOn(t *testing.T, dir string, c *config.Config, steps int) (said string, err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var b bytes.Buffer
	taken := 0
	s := nas.Settings{Hooks: []nas.Hooks{nas.Progress(&b, nil), {OnStep: func(*nas.Run, *nas.Step) error {
		if taken++; taken == steps {
			cancel()
		}
		return nil
	}}}}
	if c.Experiment == config.Train {
		_, err = train.Run(ctx, dir, c, s)
	} else {
		_, err = search.Run(ctx, dir, c, s)
	}
	return b.String(), err
}

// firstOf returns the first file below root that matches the pattern.
func firstOf(t *testing.T, root, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", pattern, err)
	}
	return files[0]
}

func TestChangedData(t *testing.T) {
	// A run whose images changed since it began neither goes on nor is tested, and the error says what changed. A run whose images only moved goes on.
	copyTo := func(t *testing.T, from, to string) {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name   string
		change func(t *testing.T, root string)
		want   string // empty where the run goes on
	}{
		{"one more", func(t *testing.T, root string) {
			copyTo(t, firstOf(t, root, "train/1/*"), filepath.Join(root, "train/0/zz.png"))
		}, "class 0 of train: 1 file more"},
		{"a class renamed", func(t *testing.T, root string) {
			for _, part := range []string{"train", "val"} {
				if err := os.Rename(filepath.Join(root, part, "0"), filepath.Join(root, part, "zero")); err != nil {
					t.Fatal(err)
				}
			}
		}, "class 0 of train is gone, class zero of train is new, class 0 of val is gone, class zero of val is new"},
		{"no test images any more", func(t *testing.T, root string) {
			if err := os.RemoveAll(filepath.Join(root, "val")); err != nil {
				t.Fatal(err)
			}
		}, "val is gone"},
		{"moved", func(*testing.T, string) {}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := fixture.DigitFiles(t, 200)
			c := fixture.Load(t, "testdata/tiny-train.yaml", fixture.OnFiles(root)...)
			begun, done := filepath.Join(t.TempDir(), "begun"), filepath.Join(t.TempDir(), "done")
			if _, err := runOn(t, begun, c, 1); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			trained, err := train.Run(t.Context(), done, c, nas.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			test.change(t, root)
			moved := filepath.Join(t.TempDir(), "elsewhere")
			if err := os.Rename(root, moved); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(moved, root); err != nil { // where the run in done looks
				t.Fatal(err)
			}
			c.Data.Root = moved
			_, resumed := runOn(t, begun, c, 0)
			tested, err := train.Test(t.Context(), done, torch.CPU)
			if test.want == "" {
				if resumed != nil || err != nil || tested.TestError != trained.TestError {
					t.Errorf("resume: %v; test: %v, %+v", resumed, err, tested)
				}
				return
			}
			for dir, err := range map[string]error{begun: resumed, done: err} {
				file := filepath.Join(dir, "data.json")
				want := "nas: the data has changed since " + dir + " was begun: " + test.want + "; restore it, start a new run in another folder, or delete " + file + " to go on with it as it is"
				if err == nil || err.Error() != want {
					t.Errorf("got  %v\nwant %s", err, want)
				}
			}
			if err := os.Remove(filepath.Join(begun, "data.json")); err != nil {
				t.Fatal(err)
			}
			if test.name != "one more" { // else the batches are other ones, but there are as many
				return
			}
			said, err := runOn(t, begun, c, 0)
			if err != nil || !strings.Contains(said, "note: "+begun+" does not say what its data was: whether that has changed is not known\n") {
				t.Errorf("without data.json: %v\n%s", err, said)
			}
			if _, err := os.Stat(filepath.Join(begun, "data.json")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestChangedText(t *testing.T) {
	// Neither a search nor a training on a text goes on when the text has become shorter.
	for _, file := range []string{"testdata/tiny-text.yaml", "testdata/tiny-text-train.yaml"} {
		t.Run(filepath.Base(file), func(t *testing.T) {
			root := t.TempDir()
			write := func(name string, words int) {
				t.Helper()
				if err := os.WriteFile(filepath.Join(root, name), []byte(strings.Repeat("a b c d e f g\n", words/8)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			write("train.txt", 160)
			write("valid.txt", 80)
			write("test.txt", 80)
			c := fixture.Load(t, file, "data.name=text", "data.root="+root, "data.tokens=0")
			dir := filepath.Join(t.TempDir(), "run")
			if _, err := runOn(t, dir, c, 1); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			write("train.txt", 80)
			_, err := runOn(t, dir, c, 0)
			if err == nil || !strings.Contains(err.Error(), "has changed since "+dir+" was begun: train.txt: 80 tokens, was 160; ") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSkippedAreCountedOnce(t *testing.T) {
	// A training that leaves out broken images ends with the same result when it is interrupted after every step, however it finds them; batches of which one or none is left do not end it.
	for _, check := range []string{"decode", "header", "off"} {
		t.Run(check, func(t *testing.T) {
			root := fixture.DigitFiles(t, 200)
			for _, broken := range []string{"train/0/*", "train/1/*", "val/0/*"} {
				file := firstOf(t, root, broken)
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, text[:len(text)-20], 0o644); err != nil { // its header is good
					t.Fatal(err)
				}
			}
			c := fixture.Load(t, "testdata/tiny-train.yaml", fixture.OnFiles(root, "data.batch=2", "data.on_bad_file=skip", "data.check="+check, "data.split_seed=1")...)
			c.Epochs = 1
			undisturbed, stopped := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "run")
			result, err := train.Run(t.Context(), undisturbed, c, nas.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			if result.Skipped != 3 {
				t.Errorf("%d images left out, want 3", result.Skipped)
			}
			for err = context.Canceled; errors.Is(err, context.Canceled); {
				_, err = runOn(t, stopped, c, 20)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{"result.json", runfolder.CheckpointFile} {
				if !bytes.Equal(fixture.Content(t, undisturbed, file), fixture.Content(t, stopped, file)) {
					t.Errorf("%s differs", file)
				}
			}
		})
	}
}

func TestOneLeft(t *testing.T) {
	// A last batch in which broken images leave one image is passed over, as long as batches have more, when a training starts.
	root := fixture.DigitFiles(t, 200)
	if err := os.WriteFile(firstOf(t, root, "train/0/*"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		batch, steps string
		set          []string
	}{
		{"2", "79 of 80", nil}, {"3", "53 of 53", nil}, {"1", "159 of 159", nil},
		{"2", "79 of 80", []string{"data.size=32", "network.auxiliary=true"}}, // whose batch norm has single pixels
	} {
		taken, of := 0, 0
		watch := nas.Hooks{OnStep: func(_ *nas.Run, s *nas.Step) error { taken, of = taken+1, s.Of; return nil }}
		c := fixture.Load(t, "testdata/tiny-train.yaml", append(fixture.OnFiles(root, "data.batch="+test.batch, "data.on_bad_file=skip", "epochs=1"), test.set...)...)
		if _, err := train.Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, nas.Settings{Hooks: []nas.Hooks{watch}}); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%d of %d", taken, of); got != test.steps {
			t.Errorf("batches of %s: %s steps, want %s", test.batch, got, test.steps)
		}
	}
}

func TestNothingLeft(t *testing.T) {
	// A run ends with an error that names a file when none of the images that it trains or measures on can be read, and they are not looked at before.
	for _, test := range []struct{ part, want string }{
		{"train", "nas: none of the training images of the epoch can be read, such as data: imagefolder: "},
		{"val", "nas: none of the images to measure on can be read, such as data: imagefolder: "},
	} {
		root := fixture.DigitFiles(t, 200)
		err := filepath.WalkDir(filepath.Join(root, test.part), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			return os.WriteFile(path, []byte("x"), 0o644)
		})
		if err != nil {
			t.Fatal(err)
		}
		c := fixture.Load(t, "testdata/tiny-train.yaml", fixture.OnFiles(root, "data.on_bad_file=skip", "data.check=off")...)
		want := test.want + filepath.Join(root, test.part, "0")
		if _, err := runOn(t, filepath.Join(t.TempDir(), "run"), c, 0); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestFilesAreCheckedOnce(t *testing.T) {
	// Files are looked at when a run is new, and neither when it goes on nor for the trainings within it.
	root := fixture.DigitFiles(t, 200)
	looks := 0
	settings := nas.Settings{Hooks: []nas.Hooks{{OnCheck: func(_ *nas.Run, done, of int) {
		if done == of {
			looks++
		}
	}}}}
	c := fixture.Tiny(t, fixture.OnFiles(root, "strategy.name=random", "strategy.trials=2", "epochs=1", "network.layers=3")...)
	dir := filepath.Join(t.TempDir(), "run")
	if _, err := search.Run(t.Context(), dir, c, settings); err != nil {
		t.Fatal(err)
	}
	if looks != 1 {
		t.Errorf("%d looks at the files, want 1", looks)
	}
	if err := os.Remove(filepath.Join(dir, "result.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := search.Run(t.Context(), dir, c, settings); err != nil || looks != 1 {
		t.Errorf("%d looks after a resume, %v", looks, err)
	}
}

func TestDescribedAtStart(t *testing.T) {
	// A run on files tells at its start the classes, the number of images, their size and what is cut.
	root := fixture.DigitFiles(t, 200)
	if err := os.WriteFile(filepath.Join(root, "train", "0", "notes.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	said, err := runOn(t, filepath.Join(t.TempDir(), "run"), fixture.Load(t, "testdata/tiny-train.yaml", fixture.OnFiles(root, "epochs=1")...), 0)
	if err != nil {
		t.Fatal(err)
	}
	want := "note: 1 file of " + root + " is no image and is left out, such as train/0/notes.txt\n" +
		"note: 10 classes: 0, 1, 2, 3, 4 and 5 more; 160 images to train, 40 to test\n" +
		"note: images become 8x8, colour: the shorter side is scaled to it, the middle is cut out\n"
	if !strings.Contains(said, want) {
		t.Errorf("it said\n%swant\n%s", said, want)
	}
}

func TestChangedDataOfParts(t *testing.T) {
	// No process joins a protocol or goes on with a comparison, whatever its parts, when the images have changed since it began; they are looked at once.
	enough := errors.New("enough")
	looks := 0
	stop := nas.Settings{Hooks: []nas.Hooks{{
		OnStart: func(*nas.Run) error { return enough },
		OnCheck: func(_ *nas.Run, done, of int) {
			if done == of {
				looks++
			}
		},
	}}}
	for _, test := range []struct {
		name string
		run  func(t *testing.T, dir, root string) error
		in   string // of dir, the file that knows the data
	}{
		{"protocol", func(t *testing.T, dir, root string) error {
			files := "data: {name: imagefolder, root: " + root + ", size: 8, batch: 40}\n"
			whole := fixture.WholeOf(t, "experiment: search\nnetwork: {channels: 2, layers: 3, nodes: 1, stem_multiplier: 1}\n"+files,
				"experiment: train\nnetwork: {channels: 2, layers: 3, stem_multiplier: 1}\n"+files)
			_, err := plan.Repeat(t.Context(), dir, whole, plan.Settings{Settings: stop})
			return err
		}, "config/data.json"},
		{"comparison", func(t *testing.T, dir, root string) error {
			c := fixture.Tiny(t, fixture.OnFiles(root)...)
			comparison := &config.NetworkComparison{Compare: config.Defaults(config.Comparison), Searches: []*config.Config{c}, Names: []string{"darts"}, Train: fixture.Load(t, "testdata/tiny-train.yaml", fixture.OnFiles(root)...)}
			_, err := plan.Compare(t.Context(), dir, comparison, plan.ComparisonSettings{Settings: plan.Settings{Settings: stop}, Search: func(context.Context, string, *config.Config) (plan.Cost, error) {
				return plan.Cost{}, enough
			}})
			return err
		}, "config/data.json"},
	} {
		t.Run(test.name, func(t *testing.T) {
			root, dir := fixture.DigitFiles(t, 200), filepath.Join(t.TempDir(), "whole")
			for range 2 {
				if err := test.run(t, dir, root); !errors.Is(err, enough) {
					t.Fatal(err)
				}
			}
			if looks != 1 {
				t.Errorf("%d looks at the files, want 1", looks)
			}
			looks = 0
			if err := os.Remove(firstOf(t, root, "train/3/*")); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, test.in)
			want := "nas: the data has changed since " + dir + " was begun: class 3 of train: 1 file fewer; restore it, start a new run in another folder, or delete " + file + " to go on with it as it is"
			if err := test.run(t, dir, root); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}
