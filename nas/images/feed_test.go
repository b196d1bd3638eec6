package images_test

import (
	"testing"

	"godarts/nas/data"
	"godarts/nas/fixture"
	"godarts/nas/images"
	_ "godarts/nas/search" // whose strategies the configs name
)

func TestFeedOfSearch(t *testing.T) {
	// A search trains w on the first part of the training images and α on the rest, all augmented, and measures on that rest.
	for _, strategy := range []string{"darts", "p-darts", "pc-darts", "gdas", "enas", "rsps"} {
		file := "tiny.yaml"
		if strategy == "p-darts" {
			file = "tiny-p-darts.yaml"
		}
		r := fixture.FeedOf(t, file, "strategy.name="+strategy, "data.subset=40", "data.train_portion=0.75", "data.batch=5", "data.cutout=4", "network.channels=8")
		f := r.Feed.(*images.Feed)
		augment := images.Of(r).Images().Augment
		augment.Cutout = 4
		fixture.Within(t, strategy+", train", f.Train, images.Of(r).Images().Train, 0, 30)
		fixture.Within(t, strategy+", validation", f.Validation, images.Of(r).Images().Train, 30, 40)
		if r.Config.HasAlpha() {
			fixture.Within(t, strategy+", valid", f.Valid, images.Of(r).Images().Train, 30, 40)
			if f.Valid.Augment != augment {
				t.Errorf("%s, valid: %+v", strategy, f.Valid.Augment)
			}
		}
		if f.Train.Augment != augment {
			t.Errorf("%s, train: %+v", strategy, f.Train.Augment)
		}
	}
}

func TestFeedOfTraining(t *testing.T) {
	// A training trains on augmented training images and measures the test images, or what it holds out, as they are.
	for portion, trains := range map[string]int{"1": 36, "0.75": 27} {
		r := fixture.FeedOf(t, "tiny-train.yaml", "data.train_portion="+portion, "data.batch=9")
		f := r.Feed.(*images.Feed)
		augment := images.Of(r).Images().Augment
		augment.Cutout = 4
		fixture.Within(t, "train", f.Train, images.Of(r).Images().Train, 0, trains)
		if trains < 36 {
			fixture.Within(t, "held out", f.Validation, images.Of(r).Images().Train, trains, 36)
		} else {
			fixture.Within(t, "test", f.Validation, images.Of(r).Images().Test, 0, images.Of(r).Images().Test.N)
		}
		if f.Train.Augment != augment || augment.Pad == 0 || f.Validation.Augment != (data.Augment{}) {
			t.Errorf("augmented by %+v, measured with %+v", f.Train.Augment, f.Validation.Augment)
		}
	}
}
