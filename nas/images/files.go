package images

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/runfolder"
)

// readsTest reports whether the experiment c, or a training after it, reads test images.
func readsTest(c *config.Config) bool {
	if c.Experiment == config.Train {
		return c.Data.TrainPortion == 1
	}
	return c.Evaluate != nil
}

// Inspect implements nas.Files. Unreadable images are an error unless data.on_bad_file is skip.
func (f *Feed) Inspect(ctx context.Context, looked func(done, of int)) (runfolder.DataManifest, error) {
	record, c := runfolder.DataManifest{Fingerprint: f.Fingerprint()}, f.config
	if c.Data.Check == config.Off {
		return record, nil
	}
	test := readsTest(c)
	bad, err := f.Set.Check(ctx, c.Data.Check, test, looked)
	switch {
	case err != nil:
		return record, err
	case len(bad) > 0 && c.Data.OnBadFile == config.Fail && len(bad) == 1:
		return record, fmt.Errorf("%w: repair it, or set data.on_bad_file: skip, which leaves it out", &bad[0])
	case len(bad) > 0 && c.Data.OnBadFile == config.Fail:
		return record, fmt.Errorf("%w; with it %d images cannot be read: repair them, or set data.on_bad_file: skip, which leaves them out", &bad[0], len(bad))
	}
	record.Checked, record.Train, record.Test, record.Unreadable = c.Data.Check, f.Set.Train.N, test, bad
	return record, nil
}

// Reuse implements nas.Files.
func (f *Feed) Reuse(other runfolder.DataManifest) (record runfolder.DataManifest, there bool) {
	c := f.config
	if other.Checked != c.Data.Check || other.Train < f.Set.Train.N || !other.Test && readsTest(c) {
		return runfolder.DataManifest{}, false
	}
	if other.Checked != "" {
		other.Train = f.Set.Train.N
	}
	return other, true
}

// Exclude implements nas.Files.
func (f *Feed) Exclude(record runfolder.DataManifest) (note string, err error) {
	bad := record.Unreadable
	if len(bad) == 0 {
		return "", nil
	}
	if err := f.Set.Without(bad); err != nil {
		return "", err
	}
	rest := *f.config
	rest.Data.Subset = 0
	if key, problem := rest.CheckTrainImages(f.Set.Train.N); key != "" {
		return "", fmt.Errorf("nas: %s: %s", key, problem)
	}
	*f = *NewFeed(f.config, f.Set, f.to)
	f.fewer, f.LeftOut = true, len(bad)
	first := bad[0]
	return fmt.Sprintf("%s cannot be read and %s left out, such as %s: %s", names.Count(len(bad), "image"), map[bool]string{true: "is", false: "are"}[len(bad) == 1],
		names.Escape(filepath.Join(f.config.Data.Root, first.File)), first.Why), nil
}

// CheckRemaining implements nas.Files. A step of one image is no error, since the feed skips it.
func (f *Feed) CheckRemaining() error {
	if !f.fewer {
		return nil
	}
	err := check(f.config, f.Set.Train, f.to.Device)
	if lonely := (*singleImageError)(nil); errors.As(err, &lonely) && lonely.steps {
		return nil
	}
	return err
}

// Describe implements nas.Files.
func (f *Feed) Describe() []string {
	if f.config.Data.Name != config.ImageFolder {
		return nil
	}
	return f.Set.Describe()
}
