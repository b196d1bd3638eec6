package model

import (
	_ "embed"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/finite"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/safetensors"
)

// Files that Export writes besides WeightsFile and the genotype.
const (
	exportModule = "network.py"
	exportConfig = "config.json" // what WeightsFile says of its network, as a folder of a model hub has it
)

// Python modules that rebuild in PyTorch the network that WeightsFile describes. Each ends in
// readerModule.
var (
	//go:embed python/network.py
	imageModule []byte
	//go:embed python/language.py
	languageModule []byte
	//go:embed python/reader.py
	readerModule []byte
)

// Export writes the trained network of the complete run in dir to the folder to: its weights under the
// reference's names, its description, its genotype, and a PyTorch module that rebuilds the network from
// them. The auxiliary head, which only training uses, is left out unless auxiliary is set. Export
// returns the files.
func Export(dir, to string, auxiliary bool) (files []string, err error) {
	c, err := runfolder.ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	if _, err := TrainedCell(dir, c); err != nil {
		return nil, err
	}
	return export(filepath.Join(dir, runfolder.WeightsFile), to, c, auxiliary)
}

// export exports the network in a file of weights; c is the config of its training.
func export(weights, to string, c *config.Config, auxiliary bool) (files []string, err error) {
	training, err := c.YAML()
	if err != nil {
		return nil, err
	}
	st, err := OpenWeights(weights)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	about, err := describedIn(st, weights)
	if err != nil {
		return nil, err
	}
	if about.Quantised != nil {
		return nil, fmt.Errorf("nas: export: the network in %s computes in integers, which the module for PyTorch has not: export it as ONNX, or export the run that it was made of", weights)
	}
	if auxiliary && !about.Auxiliary {
		return nil, fmt.Errorf("nas: export: the network in %s has no auxiliary head", weights)
	}
	about.Auxiliary = auxiliary
	if about.Units > 0 {
		_, shape, err := st.Info("encoder.weight")
		if err != nil {
			return nil, err
		}
		about.Tokens = shape[0]
		about.Words, _ = dictionary(c, about) // without the text the export has no words
	}
	module, err := moduleOf(about.Genotype)
	if err != nil {
		return nil, err
	}
	described, err := hubConfig(about)
	if err != nil {
		return nil, err
	}
	content, err := exported(st, about, string(training))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return nil, fmt.Errorf("nas: export: %w", err)
	}
	for _, f := range []struct {
		name    string
		content []byte
	}{
		{runfolder.WeightsFile, content}, {runfolder.ExportedGenotypeFile, []byte(about.Genotype.String() + "\n")},
		{exportModule, module}, {exportConfig, described},
	} {
		file := filepath.Join(to, f.name)
		if err := runfolder.Write(file, f.content); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// hubConfig returns a description as JSON with the keys that model hubs look for besides its own.
func hubConfig(about Description) ([]byte, error) {
	about.Words = nil // in the weights; a config is read by people
	type labels map[string]any
	c := struct {
		Architectures []string `json:"architectures"` // classes of exportModule
		ModelType     string   `json:"model_type"`
		Labels        labels   `json:"id2label,omitempty"`
		Numbers       labels   `json:"label2id,omitempty"`
		VocabSize     int      `json:"vocab_size,omitempty"`
		Description
	}{Architectures: []string{"Network"}, ModelType: "darts", Description: about, VocabSize: about.Tokens}
	if len(about.ClassNames) > 0 {
		c.Labels, c.Numbers = labels{}, labels{}
		for i, name := range about.ClassNames {
			c.Labels[fmt.Sprint(i)], c.Numbers[name] = name, i
		}
	}
	text, err := finite.Indented(c)
	if err != nil {
		return nil, fmt.Errorf("nas: export: %w", err)
	}
	return text, nil
}

// moduleOf returns the PyTorch module for networks of g: imageModule or languageModule, then
// readerModule and the Python texts of the registered operations in g.
func moduleOf(g genotype.Genotype) ([]byte, error) {
	body := imageModule
	if g.IsRecurrent() {
		body = languageModule
	}
	module := slices.Concat(body, []byte("\n\n"), readerModule)
	var entries []string
	for _, op := range genotype.Registered() {
		used := slices.ContainsFunc(slices.Concat(g.Normal.Edges, g.Reduce.Edges), func(e genotype.Edge) bool { return e.Op == op })
		custom, ok := cells.RegisteredOp(op)
		switch {
		case !used:
			continue
		case !ok || custom.Python == "":
			return nil, fmt.Errorf("nas: export: the cells have %s, which was registered without its text in Python: no module could rebuild the network", op)
		}
		module = fmt.Appendf(module, "\n\n%s\n", strings.Trim(custom.Python, "\n"))
		entries = append(entries, fmt.Sprintf("%q: %s", op, op))
	}
	if len(entries) > 0 {
		module = fmt.Appendf(module, customOperations, strings.Join(entries, ", "))
	}
	return module, nil
}

// customOperations adds the registered operations, which are filled in, to the module's function
// operation.
const customOperations = `

_operation, _custom = operation, {%s}

def operation(name, c, left, stride):
    return _custom[name](c, stride) if name in _custom else _operation(name, c, left, stride)
`

// exported returns the content of the weights st of the network about, which says whether the auxiliary
// head is among them.
func exported(st *safetensors.File, about Description, training string) (content []byte, err error) {
	text, err := finite.Marshal(about)
	if err != nil {
		return nil, fmt.Errorf("nas: export: %w", err)
	}
	err = torch.Do(func() error {
		sd, err := st.LoadAll()
		if err != nil {
			return err
		}
		maps.DeleteFunc(sd, func(name string, _ torch.Tensor) bool {
			return !about.Auxiliary && strings.HasPrefix(name, AuxiliaryHead)
		})
		meta := map[string]string{DescriptionKey: string(text), configKey: training, "format": "pt"} // transformers reads files of that format only
		content, err = safetensors.WithSum(sd, meta, weightsSum)
		return err
	})
	return content, err
}
