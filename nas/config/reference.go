package config

import (
	_ "embed"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

//go:generate go run ../../scripts/configdocs ../../docs

// referenceHead is what docs/config.md says before its tables.
//
//go:embed reference.md
var referenceHead string

// Reference returns the page docs/config.md: every key by section, with its meaning, its values, where it applies
// and its default, in Markdown.
func Reference() string {
	var page strings.Builder
	page.WriteString(referenceHead)
	rows := map[string][]string{}
	var titles []string // in the order of their first keys
	for _, r := range current.Load().rows() {
		cells := []string{"`" + r.path + "`", r.text, r.allValues(), r.where(), r.defaultCell() + r.own}
		for i, cell := range cells {
			cells[i] = strings.ReplaceAll(cell, "|", `\|`)
		}
		title := r.title()
		if rows[title] == nil {
			titles = append(titles, title)
		}
		rows[title] = append(rows[title], "| "+strings.Join(cells, " | ")+" |\n")
	}
	for _, title := range titles {
		fmt.Fprintf(&page, "\n## %s\n\n| key | meaning | values | applies to | default |\n|---|---|---|---|---|\n", title)
		page.WriteString(strings.Join(rows[title], ""))
	}
	page.WriteString("\n## Defaults of the other strategies\n\n" +
		"`strategy.name` also chooses the defaults of a search on images. Keys that are not listed have the default above.\n\n" +
		"| strategy | defaults that differ |\n|---|---|\n")
	for _, strategy := range current.Load().names() {
		if own := ownDefaults(strategy); len(own) > 0 {
			fmt.Fprintf(&page, "| `%s` | %s |\n", strategy, strings.Join(own, ", "))
		}
	}
	return page.String()
}

// title returns the heading of the table that k is in.
func (k *key) title() string {
	section, _, inner := strings.Cut(k.path, ".")
	if !inner {
		return "Keys outside of sections"
	}
	return "`" + section + "`"
}

// allValues returns which values the keys of r take.
func (r *row) allValues() string {
	var each []string
	for _, k := range r.all {
		if values := k.values(); !slices.Contains(each, values) {
			each = append(each, values)
		}
	}
	return strings.Join(each, ", or ")
}

// values returns which values k takes.
func (k *key) values() string {
	t := k.kind
	if isLeaf(t) {
		return reflect.New(t).Interface().(leaf).Wanted()
	}
	if oneOf := k.oneOf(); len(oneOf) > 0 {
		each := "`" + strings.Join(oneOf, "`, `") + "`"
		switch {
		case t.Kind() != reflect.Slice:
			return each
		case t.Elem().Kind() == reflect.Slice:
			return "a list of lists of " + each
		}
		return "a list of " + each
	}
	switch t.Kind() {
	case reflect.Bool:
		return "`true`, `false`"
	case reflect.String:
		return "text"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Slice {
			return "a list of lists of texts"
		}
		return "a list of texts"
	}
	want := k.bounds()
	if t.Kind() == reflect.Array {
		number := map[bool]string{true: "whole numbers", false: "numbers"}[t.Elem().Kind() == reflect.Int]
		if t.Len() == 3 {
			return fmt.Sprintf("one, or a list of three %s%s", number, want)
		}
		return fmt.Sprintf("a list of two %s%s", number, want)
	}
	if t.Kind() == reflect.Float64 {
		return "a number" + want
	}
	if k.even != "" {
		return "an even number" + want
	}
	return "a whole number" + want
}

// bounds returns the range of numbers after a comma, nothing if k has none.
func (k *key) bounds() string {
	text := ""
	if k.interval != nil {
		text = ", " + k.interval.String()
	}
	if k.most > 0 {
		text += fmt.Sprintf(", at most %d", k.most)
	}
	return text
}

// where returns the experiments, strategies and data that k applies to.
func (k *key) where() string {
	var parts []string
	for _, e := range experiments {
		switch {
		case k.only != "" && !slices.Contains(strings.Fields(k.only), e.name):
		case e.name == Search && k.takers != nil:
			parts = append(parts, "search by "+strings.Join(k.takers, ", "))
		case e.name == Search && len(k.lackers) > 0:
			parts = append(parts, "search, but by "+strings.Join(k.lackers, ", "))
		default:
			parts = append(parts, e.name)
		}
	}
	where := strings.Join(parts, "; ")
	if k.of != "" {
		where += " (" + k.of + " only)"
	}
	return where
}

// defaultCell returns the default of k, on texts too where that differs.
func (k *key) defaultCell() string {
	ofImages, _ := k.defaultsOf(images)
	ofTexts, _ := k.defaultsOf(texts)
	switch {
	case k.path == "experiment", k.nonEmpty && ofImages == `""`:
		return "required"
	case ofImages == "" && ofTexts == "": // a key of Expect
		return "none"
	case ofImages == "" || k.of == texts:
		return ofTexts
	case ofTexts == "" || ofTexts == ofImages || k.path == "data.name":
		return ofImages
	}
	return ofImages + "; texts: " + ofTexts
}

// ownDefaults lists, as "`key` value", the defaults of a search on images by strategy that
// differ from those that the tables of Reference show.
func ownDefaults(strategy string) (own []string) {
	c := defaultsOf(Search, images, strategy)
	for _, r := range current.Load().rows() {
		i := slices.IndexFunc(r.all, func(k key) bool { return k.has(c) })
		if i < 0 || r.path == "strategy.name" {
			continue
		}
		standard := defaultsOf(Search, images, r.strategy())
		if value := r.all[i].defaultIn(c); !r.has(standard) || value != r.defaultIn(standard) {
			own = append(own, fmt.Sprintf("`%s` %s", r.path, value))
		}
	}
	return own
}
