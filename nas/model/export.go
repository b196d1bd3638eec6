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

// exportModule is the Python file that Export writes besides WeightsFile and the genotype.
const exportModule = "network.py"

// networkModule is a Python module that rebuilds in PyTorch the network that WeightsFile describes.
//
//go:embed python/network.py
var networkModule []byte

// configKey is the metadata key of exported weights for the config of their training, as YAML.
const configKey = "config"

// Export writes the trained network of the complete run in dir to the folder to: its weights under the
// reference's names, its genotype, and a PyTorch module that rebuilds the network from both. The
// auxiliary head, which only training uses, is left out unless auxiliary is set. Export returns the
// files.
func Export(dir, to string, auxiliary bool) (files []string, err error) {
	c, err := runfolder.ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	if _, err := TrainedCell(dir, c); err != nil {
		return nil, err
	}
	text, err := c.YAML()
	if err != nil {
		return nil, err
	}
	return export(filepath.Join(dir, runfolder.WeightsFile), to, string(text), auxiliary)
}

// export exports the network in a file of weights; training is the config of its training, as YAML.
func export(weights, to, training string, auxiliary bool) (files []string, err error) {
	st, err := OpenWeights(weights)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	about, err := readDescription(st, weights)
	if err != nil {
		return nil, err
	}
	if auxiliary && !about.Auxiliary {
		return nil, fmt.Errorf("nas: export: the network in %s has no auxiliary head", weights)
	}
	module, err := moduleOf(about.Genotype)
	if err != nil {
		return nil, err
	}
	content, err := exported(st, about, training, auxiliary)
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
		{runfolder.WeightsFile, content}, {runfolder.ExportedGenotypeFile, []byte(about.Genotype.String() + "\n")}, {exportModule, module},
	} {
		file := filepath.Join(to, f.name)
		if err := runfolder.Write(file, f.content); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// moduleOf returns the PyTorch module for networks of g: networkModule, followed by the Python texts of
// the registered operations in g.
func moduleOf(g genotype.Genotype) ([]byte, error) {
	module := slices.Clone(networkModule)
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


def operation(name, c, stride):
    return _custom[name](c, stride) if name in _custom else _operation(name, c, stride)
`

// exported returns the content of the weights st of the network about, with or without its auxiliary
// head.
func exported(st *safetensors.File, about Description, training string, auxiliary bool) (content []byte, err error) {
	about.Auxiliary = auxiliary
	text, err := finite.Marshal(about)
	if err != nil {
		return nil, fmt.Errorf("nas: export: %w", err)
	}
	err = torch.Do(func() error {
		sd, err := st.LoadAll()
		if err != nil {
			return err
		}
		maps.DeleteFunc(sd, func(name string, _ torch.Tensor) bool { return !auxiliary && strings.HasPrefix(name, AuxiliaryHead) })
		content, err = safetensors.WithSum(sd, map[string]string{DescriptionKey: string(text), configKey: training}, weightsSum)
		return err
	})
	return content, err
}

// IsExport reports whether Export wrote the folder dir.
func IsExport(dir string) bool {
	return runfolder.Has(dir, runfolder.WeightsFile) && runfolder.Has(dir, runfolder.ExportedGenotypeFile)
}

// ExportConfig returns the config of the training whose network was exported to dir.
func ExportConfig(dir string) (*config.Config, error) {
	file := filepath.Join(dir, runfolder.WeightsFile)
	st, err := OpenWeights(file)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	text, ok := st.Metadata()[configKey]
	if !ok {
		return nil, fmt.Errorf("nas: %s does not say how its network was trained, as exports of now do: export the run once more", file)
	}
	return config.Parse(file, []byte(text))
}
