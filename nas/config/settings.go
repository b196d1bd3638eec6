package config

// Setting is a key of a config with its value and its default.
type Setting struct {
	Path    string // "w.lr"
	Value   string // as in a file but without quotes
	Default string // of the same experiment, kind of data and strategy; empty where there is none
}

// Changed reports whether the value is not the default.
func (s Setting) Changed() bool { return s.Value != s.Default }

// Settings lists the keys that apply to c, in the order of Keys, without the published figure.
func (c *Config) Settings() (settings []Setting) {
	kind := images
	if c.Data.IsText() {
		kind = texts
	}
	defaults := defaultsOf(c.Experiment, kind, c.Strategy.Name)
	if defaults != nil && c.Evaluate != nil {
		defaults.Evaluate = evaluateDefaults()
	}
	if defaults != nil && c.Pruned != nil {
		defaults.Pruned = &Pruned{}
	}
	if defaults != nil && c.Quantise != nil {
		defaults.Quantise = quantiseDefaults()
	}
	keys := current.Load().keys
	for i := range keys {
		k := &keys[i]
		field, ok := k.field(c)
		if !ok || !k.has(c) || k.optional() == "expect" {
			continue
		}
		s := Setting{Path: k.path, Value: format(field)}
		if defaults != nil {
			if standard, ok := k.field(defaults); ok {
				s.Default = format(standard)
			}
		}
		settings = append(settings, s)
	}
	return settings
}
