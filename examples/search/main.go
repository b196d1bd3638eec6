// Search runs a search and a training from Go: it finds a cell on handwritten digits that come with
// godarts, watches how sure α becomes, trains the network of the cell and classifies a picture with it.
//
//	go run ./search FOLDER
package main

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"log"
	"os"
	"path/filepath"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/model"
	"godarts/nas/search"
	"godarts/nas/train"
	"godarts/torch"
)

const searchConfig = `
experiment: search
strategy: {name: darts, order: 1}
data: {name: digits, train_portion: 0.5, batch: 64}
network: {channels: 4, layers: 3, nodes: 2}
epochs: 2
`

const trainConfig = `
experiment: train
data: {name: digits, batch: 64}
network: {channels: 4, layers: 3}
epochs: 2
`

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: search FOLDER")
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

// run searches in folder/search and trains in folder/train. Called again with the same folder it goes
// on where it was interrupted.
func run(ctx context.Context, folder string) error {
	c, err := config.Parse("search.yaml", []byte(searchConfig))
	if err != nil {
		return err
	}
	watch := nas.Hooks{OnEpoch: func(r *nas.Run, e *nas.Epoch) error {
		fmt.Printf("epoch %d of %d: %s\n", e.Index+1, c.Epochs, r.Feed.Quality(e.Valid))
		return nil
	}}
	found, err := search.Run(ctx, filepath.Join(folder, "search"), c, nas.Settings{Hooks: []nas.Hooks{watch}})
	if err != nil {
		return err
	}
	fmt.Println("found", found.Genotype)

	c, err = config.Parse("train.yaml", []byte(trainConfig))
	if err != nil {
		return err
	}
	c.Genotype = found.Genotype.String()
	trained := filepath.Join(folder, "train")
	result, err := train.Run(ctx, trained, c, nas.Settings{})
	if err != nil {
		return err
	}
	fmt.Printf("%d parameters, test error %.2f %%\n", result.Parameters, result.TestError)

	return torch.Do(func() error {
		m, err := model.LoadModel(trained, torch.CPU)
		if err != nil {
			return err
		}
		stroke := image.NewGray(image.Rect(0, 0, 8, 8))
		for y := range 8 {
			stroke.SetGray(4, y, color.Gray{Y: 255})
		}
		probabilities, err := m.Classify(stroke)
		if err != nil {
			return err
		}
		fmt.Printf("a vertical stroke is a %s with probability %.2f\n", m.ClassNames()[1], probabilities[1])
		return nil
	})
}
