package tensorboard

import (
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"godarts/nas/config"
)

// Tags under which TensorBoard's plugin of hyper-parameters looks, and its name.
// tensorboard/plugins/hparams/metadata.py
const (
	hparamsPlugin  = "hparams"
	experimentTag  = "_hparams_/experiment"
	sessionTag     = "_hparams_/session_start_info"
	endTag         = "_hparams_/session_end_info"
	dataTypeString = 1 // enum DataType of api.proto
	dataTypeBool   = 2
	dataTypeNumber = 3
	statusSuccess  = 1 // enum Status
	statusFailure  = 2
)

// hparamsValue returns a value that holds content for the plugin.
func hparamsValue(tag string, content message) message {
	return message(nil).text(valueTag, tag).bytes(valueMetadata, plugin(hparamsPlugin, content))
}

// experiment returns the value that lists hyper-parameters and the tags of results.
func experiment(hparams map[string]any, results []string) message {
	var e message
	for _, name := range ordered(hparams) {
		kind := uint64(dataTypeString)
		switch hparams[name].(type) {
		case bool:
			kind = dataTypeBool
		case float64:
			kind = dataTypeNumber
		}
		e = e.bytes(experimentHparam, message(nil).text(hparamName, name).varint(hparamType, kind))
	}
	for _, tag := range results {
		name := message(nil).text(nameTag, tag)
		e = e.bytes(experimentMetric, message(nil).bytes(metricName, name).text(metricTitle, tag))
	}
	return hparamsValue(experimentTag, message(nil).bytes(hparamsExperiment, e))
}

// shown are the hyper-parameters that come first: TensorBoard shows five until one asks for others.
var shown = []string{"strategy.name", "data.name", "epochs", "w.lr", "seed"}

// ordered returns the names of the hyper-parameters: those of shown, then all others by the alphabet.
func ordered(hparams map[string]any) (names []string) {
	names = slices.Sorted(maps.Keys(hparams))
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	return names
}

// rank returns the place of name in shown, or its length.
func rank(name string) int {
	if i := slices.Index(shown, name); i >= 0 {
		return i
	}
	return len(shown)
}

// session returns the value with the hyper-parameters of a run that began at a time.
func session(hparams map[string]any, began float64) message {
	var s message
	for _, name := range slices.Sorted(maps.Keys(hparams)) {
		var v message
		switch x := hparams[name].(type) {
		case bool:
			v = v.varint(valueBool, map[bool]uint64{true: 1}[x])
		case float64:
			v = v.double(valueNumber, x)
		case string:
			v = v.text(valueString, x)
		}
		s = s.bytes(startHparams, message(nil).text(mapKey, name).bytes(mapValue, v))
	}
	s = s.double(startTime, began)
	return hparamsValue(sessionTag, message(nil).bytes(hparamsStart, s))
}

// sessionEnd returns the value that says how and when a run ended.
func sessionEnd(status uint64, ended float64) message {
	e := message(nil).varint(endStatus, status).double(endTime, ended)
	return hparamsValue(endTag, message(nil).bytes(hparamsEnd, e))
}

// hparamsOf returns the keys of a config with their values: bool, float64 or string. It leaves out
// data.root, which is a folder of one machine, and expect.
func hparamsOf(c *config.Config) (map[string]any, error) {
	resolved, err := c.YAML()
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := yaml.Unmarshal(resolved, &tree); err != nil {
		return nil, fmt.Errorf("tensorboard: config: %w", err)
	}
	hparams := map[string]any{}
	delete(tree, "expect")
	flatten(hparams, "", tree)
	delete(hparams, "data.root")
	return hparams, nil
}

// flatten adds the leaves of tree under their paths: "w.lr".
func flatten(to map[string]any, prefix string, tree map[string]any) {
	for key, v := range tree {
		path := prefix + key
		switch v := v.(type) {
		case map[string]any:
			flatten(to, path+".", v)
		case bool, float64, string:
			to[path] = v
		case int:
			to[path] = float64(v)
		case nil:
		default:
			to[path] = fmt.Sprint(v)
		}
	}
}
