package model_test

import (
	"context"
	"fmt"
	"image"
	"os"
	"path/filepath"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/model"
	"godarts/nas/train"
	"godarts/torch"
)

func ExampleLoadModel() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)

	// As `darts train` does; an epoch on 36 digits teaches little.
	c, err := config.Load("../testdata/tiny-train.yaml", "epochs=1")
	if err != nil {
		fmt.Println(err)
		return
	}
	run := filepath.Join(folder, "run")
	if _, err := train.Run(context.Background(), run, c, nas.Settings{}); err != nil {
		fmt.Println(err)
		return
	}

	err = torch.Do(func() error {
		m, err := model.LoadModel(run, torch.Device{})
		if err != nil {
			return err
		}
		img := image.NewGray(image.Rect(0, 0, 8, 8)) // or what image.Decode gives of a file
		probabilities, err := m.Classify(img)
		if err != nil {
			return err
		}
		sum := 0.0
		for _, p := range probabilities {
			sum += p
		}
		fmt.Printf("classes %v, probabilities that add up to %.3f\n", m.ClassNames(), sum)
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// classes [0 1 2 3 4 5 6 7 8 9], probabilities that add up to 1.000
}
