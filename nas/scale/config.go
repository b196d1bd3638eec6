package scale

import (
	"fmt"
	"strings"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas/names"
)

// Settings of the paper's trainings besides the sizes (arXiv 1806.09055, sec. 3.1 and 3.3).
const (
	imageNetSettings = `data: {name: imagefolder, root: imagenet, size: %d, augment: imagenet, batch: 128}
network:
  stem: imagenet
  channels: %d
  layers: %d
  auxiliary: %t
  auxiliary_weight: 0.4
  drop_path: 0
  label_smoothing: 0.1
w: {lr: 0.1, schedule: step, lr_decay: 0.97, momentum: 0.9, weight_decay: 3e-5, grad_clip: 5}
epochs: 250
`
	smallSettings = `data: {name: imagefolder, root: images, size: %d, batch: 96, cutout: %d}
network: {channels: %d, layers: %d, auxiliary: %t, auxiliary_weight: 0.4, drop_path: 0.2}
w: {lr: 0.025, lr_min: 0, momentum: 0.9, weight_decay: 3e-4, grad_clip: 5}
epochs: 600
`
)

// Config returns the config of a training of g in the network s, of the stem in base, with the settings
// of the paper. name says in its first line where the cell comes from.
func Config(g genotype.Genotype, name string, base cells.NetworkOptions, s Size) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Training of %s with %d channels in %s at %dx%d: %.1f million multiply-adds,\n# %.2f million weights. Settings of arXiv 1806.09055.\n",
		names.Print(name), s.Channels, names.Count(s.Layers, "layer"), s.Side, s.Side, float64(s.MultiplyAdds)/1e6, float64(s.Parameters)/1e6)
	fmt.Fprintln(&b, "experiment: train")
	base.Channels, base.Layers, base.Size, base.Auxiliary = s.Channels, s.Layers, s.Side, true
	auxiliary := base.Check(g) == nil // the head takes images of certain sizes
	if base.ImageNet {
		fmt.Fprintf(&b, imageNetSettings, s.Side, s.Channels, s.Layers, auxiliary)
	} else {
		fmt.Fprintf(&b, smallSettings, s.Side, s.Side/2, s.Channels, s.Layers, auxiliary)
	}
	cell := fmt.Sprintf("%q", g.String())
	if named, err := genotype.Parse(name); err == nil && named.String() == g.String() && !strings.ContainsAny(name, "\n:#'\"(") {
		cell = name
	}
	fmt.Fprintf(&b, "seed: 0\ngenotype: %s\n", cell)
	return b.String()
}
