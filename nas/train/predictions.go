package train

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"strconv"

	"godarts/nas"
	"godarts/nas/data"
	"godarts/nas/images"
	"godarts/torch"
	"godarts/torch/nn"
)

// Predictions are what a network says of each image that it was measured on.
type Predictions struct {
	ClassNames []string
	Images     []Prediction // in the order of the images; without those that could not be read
}

// Prediction is what a network says of an image.
type Prediction struct {
	Image       string // its file, from data.root; its number where it is in no file
	Label       int    // its class
	Class       int    // the likeliest
	Probability float64
}

// validate measures the run's network, and keeps what it says unless p is nil.
func (p *Predictions) validate(ctx context.Context, r *nas.Run, forward func(nn.Batch) nn.Output) nas.Meter {
	if p == nil {
		return r.Validate(ctx, 0, forward)
	}
	p.Images = nil
	m := r.Validate(ctx, 0, func(b nn.Batch) nn.Output {
		out := forward(b)
		p.add(out.Logits, b.Y)
		return out
	})
	feed := r.Feed.(*images.Feed)
	p.ClassNames = feed.Set.ClassNames
	p.name(feed.Validation.Images, feed.Left.Files)
	return m
}

// add adds the images of a batch.
func (p *Predictions) add(logits, labels torch.Tensor) {
	torch.Scoped(func() {
		probabilities := logits.Softmax(1)
		classes := logits.Argmax(1, false)
		likeliest := probabilities.Gather(1, classes.Reshape(-1, 1)).Float64s()
		of := classes.Int64s()
		for i, label := range labels.Int64s() {
			p.Images = append(p.Images, Prediction{Label: int(label), Class: int(of[i]), Probability: likeliest[i]})
		}
	})
}

// name names the images, which are all of m but those that were left out.
func (p *Predictions) name(m *data.Images, left []data.Unreadable) {
	out := map[string]bool{}
	for _, u := range left {
		out[u.File] = true
	}
	at := 0
	for i := 0; i < m.N && at < len(p.Images); i++ {
		file := m.File(i)
		if file != "" && out[file] {
			continue
		}
		p.Images[at].Image = cmp.Or(file, strconv.Itoa(i))
		at++
	}
}

// Confusion counts the images of each class, a row, by the class that the network gives them, a column.
func (p *Predictions) Confusion() [][]int {
	all := make([][]int, len(p.ClassNames))
	for i := range all {
		all[i] = make([]int, len(p.ClassNames))
	}
	for _, i := range p.Images {
		all[i.Label][i.Class]++
	}
	return all
}

// CSV returns a table with a row for each image: image, label, class, probability.
func (p *Predictions) CSV() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"image", "label", "class", "probability"}) // Error has what fails
	for _, i := range p.Images {
		_ = w.Write([]string{i.Image, p.ClassNames[i.Label], p.ClassNames[i.Class], fmt.Sprintf("%.6f", i.Probability)})
	}
	w.Flush()
	return b.Bytes(), w.Error()
}
