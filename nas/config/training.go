package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"godarts/nas/config/document"
)

// trainings are the keys with all that is below trainKey, and keys of earlier versions, with what they are below it.
var trainings = []struct{ path, below string }{
	{trainKey, ""},
	{Train, ""}, // in items of a protocol or a comparison
	{"repeat.train", ""},
	{"compare.train", ""},
	{"evaluate.batch", "data.batch"},
	{"evaluate.cutout", "data.cutout"},
	{"evaluate.network", "network"},
	{"evaluate.w", "w"},
	{"evaluate.epochs", "epochs"},
}

// belowTraining returns the key of a training that path stands for, "" for the training itself.
func belowTraining(path string) (key string, ok bool) {
	for _, t := range trainings {
		rest, inside := strings.CutPrefix(path, t.path)
		if inside && (rest == "" && path != Train || strings.HasPrefix(rest, ".")) {
			return strings.TrimPrefix(t.below+rest, "."), true
		}
	}
	return "", false
}

func ofTraining(path string) bool {
	_, ok := belowTraining(path)
	return ok
}

// addTraining records node, the value of path, for which ofTraining is true.
func (l *layers) addTraining(path string, node *yaml.Node, from origin) error {
	key, _ := belowTraining(path)
	if key != "" && !isKey(key) {
		return unknown(from, key)
	}
	l.mention(trainKey, from)
	if l.train == nil {
		l.train = newLayers()
	}
	if key == "" && node.Kind == yaml.ScalarNode && node.ShortTag() == "!!str" && node.Value != "" {
		l.train = newLayers()
		l.train.file = &located{node, from}
		return nil
	}
	if key == "" && node.Kind != yaml.MappingNode {
		return fmt.Errorf("config: %v: %s: given %s, want the file of a train experiment, or keys of one", from, path, document.Given(node))
	}
	err := l.train.add(key, node, from)
	if extends := l.train.extends; extends != nil {
		l.train.file, l.train.extends = extends, nil
	}
	return err
}
