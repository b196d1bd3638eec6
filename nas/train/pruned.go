package train

import (
	"fmt"
	"os"
	"path/filepath"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/images"
	"godarts/nas/model"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// begin puts a training that goes on with a pruned network at its first epoch, with the weights that it begins with.
// The run folder keeps a copy of them. Once there is a checkpoint, nothing else is read.
func (t *Trainer) begin(r *nas.Run) error {
	p := r.Config.Pruned
	if p == nil {
		return nil
	}
	r.At = nas.Position{Epoch: p.Epoch}
	if p.Weights == "" {
		return nil
	}
	own := filepath.Join(r.Dir, runfolder.StartFile)
	if !runfolder.HoldsCheckpoint(r.Dir) && there(p.Weights) && !sameFile(own, p.Weights) {
		if err := model.LoadWeights(t.Net, p.Weights); err != nil {
			return err
		}
		about := model.Describe(t.Genotype, images.NetworkOf(r), images.Of(r).Images())
		content, err := model.EncodeWeights(t.Net.StateDict(), about)
		if err != nil {
			return err
		}
		if err := r.Write(runfolder.StartFile, content); err != nil {
			return err
		}
	}
	if err := model.LoadWeights(t.Net, own); err != nil {
		return err
	}
	if p.Mask {
		t.mask = t.zeros()
	}
	return nil
}

// checkStart returns an error if a new training in dir has no weights to begin with.
func checkStart(dir string, p *config.Pruned) error {
	if p == nil || p.Weights == "" || there(p.Weights) || runfolder.Has(dir, runfolder.StartFile) {
		return nil
	}
	return fmt.Errorf("nas: pruned.weights: there is no file %s", names.Escape(p.Weights))
}

func there(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// zeros returns for each weight whether it may move: 0 for those of convolutions and of the classifier that are 0, else
// 1.
func (t *Trainer) zeros() torch.Tensor {
	w := t.Net.Weights()
	mask := torch.OnesLike(w.W)
	torch.Scoped(func() {
		torch.NoGrad(func() {
			weights := w.Views(w.W)
			for name, part := range w.Views(mask) {
				if part.Dim() > 1 {
					part.Copy_(weights[name].Ne(torch.ZerosLike(weights[name])).ToDtype(mask.Dtype()))
				}
			}
		})
	})
	return mask
}
