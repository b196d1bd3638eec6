package data_test

import (
	"context"
	"fmt"

	"godarts/nas/data"
	_ "godarts/nas/data/builtin"
	"godarts/nas/data/sets"
)

func ExampleSource() {
	set, err := sets.Open("digits", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	s := &data.Source{Images: set.Train, Augment: set.Augment, Seed: 2, Name: "train", Size: 64, Order: data.Shuffled}
	last := s.Load(0, s.Steps()-1)
	fmt.Println(s.Steps(), "steps, the last one of", last.N, "images,", len(last.X), "values")
	// Output: 23 steps, the last one of 29 images, 1856 values
}

func ExamplePrefetch() {
	set, err := sets.Open("digits", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	s := &data.Source{Images: set.Test, Size: 100}
	load := func(step int) *data.Batch { return s.Load(0, step) }
	for step, b := range data.Prefetch(context.Background(), 0, s.Steps(), 2, 4, load) {
		fmt.Println(step, b.N)
	}
	// Output:
	// 0 100
	// 1 100
	// 2 100
	// 3 60
}
