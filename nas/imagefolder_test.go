package nas_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/data/picture"
	"godarts/nas/data/sets"
	"godarts/nas/fixture"
	"godarts/nas/nastest"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/nas/train"
	"godarts/torch"
)

// photos makes an image folder of n images: of CIFAR-10 if it is at hand, else of
// digits.
func photos(t *testing.T, n int) (root string) {
	t.Helper()
	root = filepath.Join(t.TempDir(), "photos")
	set, err := sets.Open("cifar10", "")
	if err != nil {
		if set, err = sets.Open("digits", ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := set.Export(root, n); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestImageFolder(t *testing.T) {
	// Search, training and test of an image folder run to the end, in colour and in grey, when all three use the same folder.
	root := photos(t, 250)
	for _, test := range []struct {
		name string
		set  []string
	}{
		{"colour", []string{"data.size=16"}},
		{"grey, recipe for photographs", []string{"data.size=12", "data.channels=1", "data.augment=imagenet", "data.on_bad_file=skip"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := append(test.set, "data.name=imagefolder", "data.root="+root, "epochs=1")
			dir := t.TempDir()
			found, err := search.Run(t.Context(), filepath.Join(dir, "search"), fixture.Tiny(t, folder...), nas.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			c := fixture.Load(t, "testdata/tiny-train.yaml", append(folder, "network.label_smoothing=0.1", "w.schedule=step")...)
			c.Genotype = found.Genotype.String()
			trained, err := train.Run(t.Context(), filepath.Join(dir, "train"), c, nas.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			decoder, _, _ := picture.JPEGDecoder()
			if about, err := runfolder.ReadRunInfo(filepath.Join(dir, "train")); err != nil || about.JPEG != decoder || decoder == "" {
				t.Errorf("run.json says that %q decodes JPEG, want %q: %v", about.JPEG, decoder, err)
			}
			tested, err := train.Test(t.Context(), filepath.Join(dir, "train"), torch.CPU)
			if err != nil {
				t.Fatal(err)
			}
			if tested.TestError != trained.TestError || tested.TestLoss != trained.TestLoss || tested.TestTopFiveError != nil {
				t.Errorf("trained %+v, tested %+v", trained, tested)
			}
		})
	}
}

func TestImageFolderResumes(t *testing.T) {
	// A search on decoded images ends with the same bytes when it is interrupted at every step, and the recipe for photographs is on.
	c := fixture.Tiny(t, "data.name=imagefolder", "data.root="+photos(t, 250), "data.size=16", "data.augment=imagenet", "data.subset=32", "data.batch=8", "network.nodes=1")
	nastest.TestStrategy(t, c)
}

func TestBrokenImage(t *testing.T) {
	// A run ends with an error that names the file, or goes on and says once how many were left out, when an image is broken.
	root := photos(t, 250)
	images, err := filepath.Glob(filepath.Join(root, "train", "*", "*.png"))
	if err != nil || len(images) < 100 {
		t.Fatalf("%d images, %v", len(images), err)
	}
	for i := range 20 { // some of each class
		if err := os.WriteFile(images[i*len(images)/20], []byte("no picture"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	folder := []string{"data.name=imagefolder", "data.root=" + root, "data.size=8", "data.subset=0", "data.batch=40"}
	for _, test := range []struct {
		name string
		c    *config.Config
		run  func(context.Context, string, *config.Config, nas.Settings) error
	}{
		{"search", fixture.Tiny(t, folder...), func(ctx context.Context, dir string, c *config.Config, s nas.Settings) error {
			_, err := search.Run(ctx, dir, c, s)
			return err
		}},
		{"training", fixture.Load(t, "testdata/tiny-train.yaml", folder...), func(ctx context.Context, dir string, c *config.Config, s nas.Settings) error {
			_, err := train.Run(ctx, dir, c, s)
			return err
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.run(t.Context(), filepath.Join(t.TempDir(), "run"), test.c, nas.Settings{})
			if err == nil || !strings.HasPrefix(err.Error(), "data: imagefolder: "+root+"/train/") || !strings.Contains(err.Error(), ".png: image: unknown format; with it 20 images cannot be read: ") {
				t.Errorf("got error %v", err)
			}
			for check, want := range map[string]string{
				config.Decode: "note: 20 images cannot be read and are left out, such as " + images[0] + ": image: unknown format\n",
				config.Off:    "warning: 20 images left out, such as data: imagefolder: " + images[0] + ": image: unknown format\n",
			} {
				c := *test.c
				c.Data.OnBadFile, c.Data.Check = config.Skip, check
				var said bytes.Buffer
				s := nas.Settings{Hooks: []nas.Hooks{nas.Progress(&said, nil)}}
				if err := test.run(t.Context(), filepath.Join(t.TempDir(), "run"), &c, s); err != nil {
					t.Fatal(err)
				}
				if strings.Count(said.String(), want) != 1 || strings.Count(said.String(), "left out") != 1 {
					t.Errorf("the report is\n%s, want once %s", said.String(), want)
				}
			}
		})
	}
}

func TestTopFive(t *testing.T) {
	// The top-5 error is reported and at most the error when there are more than ten classes.
	root := t.TempDir()
	digits, err := sets.Open("digits", "")
	if err != nil {
		t.Fatal(err)
	}
	for part, n := range map[string]int{"a": 200, "b": 250} {
		// The ten classes twice, under other names.
		if err := digits.Export(filepath.Join(root, part), n); err != nil {
			t.Fatal(err)
		}
		for _, dir := range []string{"train", "val"} {
			if err := os.MkdirAll(filepath.Join(root, "both", dir), 0o755); err != nil {
				t.Fatal(err)
			}
			for digit := range 10 {
				class := string(rune('0' + digit))
				if err := os.Rename(filepath.Join(root, part, dir, class), filepath.Join(root, "both", dir, part+class)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for _, portion := range []string{"1", "0.5"} {
		t.Run("trains on "+portion, func(t *testing.T) {
			c := fixture.Load(t, "testdata/tiny-train.yaml", "data.name=imagefolder", "data.root="+filepath.Join(root, "both"), "data.size=8", "data.subset=0", "data.batch=60", "epochs=1", "data.train_portion="+portion)
			dir := filepath.Join(t.TempDir(), "run")
			result, err := train.Run(t.Context(), dir, c, nas.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			lines := linesOf[runfolder.Metric](t, dir, runfolder.MetricsFile)
			recorded := lines[len(lines)-1].TestTopFive
			of := result.Tested
			if portion != "1" {
				of = &runfolder.Tested{TestError: result.ValidError, TestTopFiveError: result.ValidTopFiveError}
				recorded = lines[len(lines)-1].ValidTopFive
			}
			if e := of.TestTopFiveError; e == nil || *e > of.TestError || *e <= 0 || of.TestError >= 100 {
				t.Errorf("got %+v", of)
			} else if recorded == nil || math.Abs(100*(1-*recorded)-*e) > 1e-9 {
				t.Errorf("the metrics have %v, the result an error of %v %%", recorded, *e)
			}
		})
	}
}

func TestHeldOutOfFolder(t *testing.T) {
	// A training on a part of an image folder's train is measured on the rest and opens no test image; a part that leaves nothing is refused.
	root := photos(t, 250)
	tests, err := filepath.Glob(filepath.Join(root, "val", "*", "*.png"))
	if err != nil || len(tests) == 0 {
		t.Fatalf("%d test images, %v", len(tests), err)
	}
	for _, file := range tests {
		if err := os.WriteFile(file, []byte("no picture"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	folder := []string{"data.name=imagefolder", "data.root=" + root, "data.size=8", "epochs=1"}
	dir := filepath.Join(t.TempDir(), "run")
	trained, err := train.Run(t.Context(), dir, fixture.Load(t, "testdata/tiny-train.yaml", append(folder, "data.train_portion=0.75")...), nas.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	tested, err := train.Test(t.Context(), dir, torch.CPU)
	if err != nil || trained.Tested != nil || tested.Validated == nil || *tested.Validated != *trained.Validated {
		t.Errorf("trained %+v, tested %+v, %v", trained, tested, err)
	}
	_, err = train.Run(t.Context(), filepath.Join(t.TempDir(), "run"), fixture.Load(t, "testdata/tiny-train.yaml", append(folder, "data.train_portion=0.01")...), nas.Settings{})
	if want := "nas: data.train_portion: 0.01 of 36 images leaves 0 for the weights and 36 for validation, want at least 1 for each"; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

func TestSchedule(t *testing.T) {
	// The learning rate falls by its factor after each epoch when the schedule is step.
	var rates []float64
	watch := nas.Hooks{OnEpoch: func(_ *nas.Run, e *nas.Epoch) error { rates = append(rates, e.LR); return nil }}
	c := fixture.Load(t, "testdata/tiny-train.yaml", "w.lr=0.1", "w.schedule=step", "w.lr_decay=0.5", "epochs=3")
	if _, err := train.Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, nas.Settings{Hooks: []nas.Hooks{watch}}); err != nil {
		t.Fatal(err)
	}
	if len(rates) != 3 || rates[0] != 0.1 || rates[1] != 0.05 || rates[2] != 0.025 {
		t.Errorf("learning rates %v", rates)
	}
}

func TestCancelledBetweenBatches(t *testing.T) {
	// A run on decoded images saves and ends when its context is cancelled.
	ctx, cancel := context.WithCancel(t.Context())
	stop := nas.Hooks{OnStep: func(*nas.Run, *nas.Step) error { cancel(); return nil }}
	c := fixture.Tiny(t, "data.name=synthetic", "data.size=16")
	_, err := search.Run(ctx, filepath.Join(t.TempDir(), "run"), c, nas.Settings{Hooks: []nas.Hooks{stop}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestResumeFromElsewhere(t *testing.T) {
	// A run, and a protocol, find their data when they go on in another working directory than that from which a config names a relative data.root.
	root := fixture.DigitFiles(t, 200)
	c := fixture.Load(t, "testdata/tiny-train.yaml", fixture.OnFiles("photos", "epochs=3")...)
	whole := fixture.WholeOf(t, "experiment: search\ndata: {root: photos}\n", "experiment: train\ndata: {root: /data}\ngenotype: DARTS_V2\n")
	dir := filepath.Join(t.TempDir(), "run")
	t.Chdir(filepath.Dir(root))
	if _, err := runOn(t, dir, c, 2); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	files, err := config.Files(whole.Experiments())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	own, err := runfolder.ReadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	if own.Data.Root != root {
		t.Errorf("the run's data.root is %s, want %s", own.Data.Root, root)
	}
	if _, err := runOn(t, dir, own, 0); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{"search.yaml": root, "train.yaml": "/data", config.WholeFile: ""} {
		c, err := config.Parse(name, files[name])
		if err != nil || c.Data.Root != want {
			t.Errorf("data.root in %s is %q, %v, want %q", name, c.Data.Root, err, want)
		}
	}
	if c.Data.Root != "photos" {
		t.Errorf("the caller's config has data.root %s now", c.Data.Root)
	}
}
