// Package page makes HTML pages of runs: of one, or of several beside each other. A page is one file that
// fetches nothing and needs no script; a script moves the drawing of the cells through the epochs. It is
// readable on paper and on a dark screen.
//
//	err := page.WriteRun(w, r, page.Options{})
//
// A page is made of sections, elements with the ids that RunSections and RunsSections list. Each can be
// rendered by itself, so that a server can replace those that have changed. A section without content is
// there, and hidden.
package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"slices"

	"godarts/nas/figure"
	"godarts/nas/names"
	"godarts/nas/record"
	"godarts/nas/report"
)

//go:embed web
var web embed.FS

// Style and Script are what a page embeds, for a server that serves them as files of their own.
var Style, Script = read("style.css"), read("page.js")

func read(name string) string {
	text, err := web.ReadFile("web/" + name)
	if err != nil {
		panic(err) // it is in the binary
	}
	return string(text)
}

var templates = template.Must(template.New("").Funcs(template.FuncMap{"name": names.Print, "text": names.Escape}).ParseFS(web, "web/*.html"))

// Options say how a page stands in its surroundings.
type Options struct {
	Title string // of the page; empty for the name of the run's folder

	// StyleURL and ScriptURL are where Style and Script lie; empty to embed them. HeadHTML is added to the
	// head of the page, TopHTML to the start of its body.
	StyleURL, ScriptURL string
	HeadHTML, TopHTML   template.HTML

	// Of a page of several runs: results in place of those that the runs themselves say, unless they are empty.
	Table    *report.Table
	Outcomes []figure.Outcome

	Link func(r *record.Run) string // address of the page of a run; nil for no links
	Live bool                       // the page follows a run: it says so, and says nothing of resuming
}

// section is an element of a page: its id, and the heading in it.
type section struct {
	id, heading string
}

// render executes the template of a section.
func (s section) render(prefix string, view any) (template.HTML, error) {
	var body bytes.Buffer
	if err := templates.ExecuteTemplate(&body, prefix+"-"+s.id, view); err != nil {
		return "", fmt.Errorf("page: %w", err)
	}
	content := bytes.TrimSpace(body.Bytes())
	var out bytes.Buffer
	err := templates.ExecuteTemplate(&out, "section", struct {
		ID, Heading string
		Body        template.HTML
	}{s.id, s.heading, template.HTML(content)}) // made by a template
	if err != nil {
		return "", fmt.Errorf("page: %w", err)
	}
	return template.HTML(out.String()), nil
}

// sections returns the ids of a list.
func ids(list []section) (all []string) {
	for _, s := range list {
		all = append(all, s.id)
	}
	return all
}

// named returns the section with that id.
func named(list []section, id string) (section, error) {
	i := slices.IndexFunc(list, func(s section) bool { return s.id == id })
	if i < 0 {
		return section{}, fmt.Errorf("page: there is no section %s", names.Quote(id, 40))
	}
	return list[i], nil
}

// write writes a page with all sections of the view.
func write(w io.Writer, o Options, title, prefix string, list []section, view any) error {
	shell := struct {
		Options
		Title    string
		Style    template.CSS
		Script   template.JS
		Sections []template.HTML
	}{Options: o, Title: names.Print(title), Style: template.CSS(Style), Script: template.JS(Script)} // files of this package
	if o.Title != "" {
		shell.Title = names.Print(o.Title)
	}
	for _, s := range list {
		html, err := s.render(prefix, view)
		if err != nil {
			return err
		}
		shell.Sections = append(shell.Sections, html)
	}
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, "page", shell); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	_, err := w.Write(out.Bytes())
	return err
}

// base returns the name of a run's folder.
func base(dir string) string {
	if absolute, err := filepath.Abs(dir); err == nil {
		dir = absolute
	}
	return filepath.Base(dir)
}
