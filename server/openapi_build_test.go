package server_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/server"
)

type object = map[string]any

// document builds the OpenAPI document of the routes.
func document(t *testing.T) object {
	b := newBuilder(t)
	paths := make(object)
	byRoute := make(map[string]operation)
	for _, op := range operations() {
		byRoute[op.route] = op
	}
	for _, r := range server.RoutesForTest() {
		op, ok := byRoute[r.Method+" "+r.Path]
		if !ok {
			t.Fatalf("the document says nothing of %s %s; add it to operations()", r.Method, r.Path)
		}
		delete(byRoute, op.route)
		path := regexp.MustCompile(`:(\w+)`).ReplaceAllString(r.Path, "{$1}")
		if paths[path] == nil {
			paths[path] = make(object)
		}
		paths[path].(object)[strings.ToLower(r.Method)] = b.operation(op, path, r.Open)
	}
	for route := range byRoute {
		t.Errorf("the document tells of %s, which is no route", route)
	}
	return b.wrap(paths)
}

// wrap puts what stands around paths.
func (b *builder) wrap(paths object) object {
	problem := b.schema(client.Problem{})
	b.close()
	return object{
		"openapi":  "3.1.0",
		"info":     object{"title": "vecdb", "version": "1", "description": "A vector search database with a built-in embedder. Scores, limits and the rules of each route are told in docs/http-api.md.", "license": object{"name": "Apache-2.0", "identifier": "Apache-2.0"}},
		"servers":  []any{object{"url": "/", "description": "the server that this document comes from"}},
		"security": []any{object{"key": []any{}}, object{}},
		"paths":    paths,
		"components": object{
			"schemas":         b.schemas,
			"securitySchemes": object{"key": object{"type": "http", "scheme": "bearer", "description": "An API key, where the server has one."}},
			"responses":       object{"Problem": object{"description": "An error (RFC 9457).", "content": object{"application/problem+json": object{"schema": problem}}}},
		},
	}
}

// builder turns types into schemas.
type builder struct {
	*testing.T
	reflector jsonschema.Reflector
	constants map[string]string // values by name
	schemas   object
	types     map[string]reflect.Type // by the name of their schema
	strict    map[string]bool         // schemas of requests, which have no other members
}

func newBuilder(t *testing.T) *builder {
	b := &builder{T: t, schemas: make(object), types: make(map[string]reflect.Type), strict: make(map[string]bool), constants: make(map[string]string)}
	b.reflector = jsonschema.Reflector{AllowAdditionalProperties: true, Mapper: b.special, Namer: b.name}
	for _, folder := range []string{".", "../client", "../query", "../train", "../internal/core", "../answers", "../recommender", "../index"} {
		if err := b.reflector.AddGoComments("github.com/vecdb/vecdb/server", folder, jsonschema.WithFullComment()); err != nil {
			t.Fatal(err)
		}
		b.readConstants(folder)
	}
	comments := b.reflector.CommentMap
	b.reflector.CommentMap = nil
	b.reflector.LookupComment = func(of reflect.Type, field string) string {
		key := of.PkgPath() + "." + of.Name()
		if field != "" {
			key += "." + field
		}
		return b.plain(strings.Join(strings.Fields(comments[strings.Replace(key, "server_test.", "server.", 1)]), " "), of)
	}
	b.special(reflect.TypeFor[core.Document]())
	return b
}

// readConstants takes the constants of a folder whose values are literals.
func (b *builder) readConstants(folder string) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range files {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			b.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			for i := 0; ok && i < len(spec.Values); i++ {
				if v, literal := spec.Values[i].(*ast.BasicLit); literal {
					b.constants[spec.Names[i].Name] = strings.ReplaceAll(v.Value, "_", "")
				}
			}
			return true
		})
	}
}

var goNames = regexp.MustCompile(`\b[A-Z][A-Za-z0-9]+\b`)

// plain says with the names of JSON what a comment says with those of Go.
func (b *builder) plain(comment string, of reflect.Type) string {
	comment = goNames.ReplaceAllStringFunc(comment, func(name string) string {
		if of.Kind() == reflect.Struct {
			if f, ok := of.FieldByName(name); ok {
				member, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				if member != "" && member != "-" {
					return "`" + member + "`"
				}
			}
		}
		if name == of.Name() {
			return "`" + b.name(of) + "`"
		}
		if value, ok := b.constants[name]; ok {
			if s, err := strconv.Unquote(value); err == nil {
				return "`" + s + "`"
			}
			return value
		}
		return name
	})
	return regexp.MustCompile(`\bnil\b`).ReplaceAllString(comment, "null")
}

// name is that of a type's schema. Two packages have some names in common.
func (b *builder) name(of reflect.Type) string {
	switch of {
	case reflect.TypeFor[query.Request]():
		return "SearchRequest"
	case reflect.TypeFor[query.Response]():
		return "SearchResponse"
	case reflect.TypeFor[client.Passage]():
		return "StoredPassage"
	}
	if of.Name() == "" {
		return ""
	}
	return strings.ToUpper(of.Name()[:1]) + of.Name()[1:]
}

// special are the types whose JSON form their fields do not tell.
func (b *builder) special(of reflect.Type) *jsonschema.Schema {
	own := func(s object) *jsonschema.Schema {
		name := b.name(of)
		b.schemas[name] = s
		b.types[name] = of
		return &jsonschema.Schema{Ref: "#/$defs/" + name}
	}
	str, number := object{"type": "string"}, object{"type": "number"}
	vector := object{"type": "array", "items": number}
	switch of {
	case reflect.TypeFor[core.Document]():
		return own(object{"type": "object", "additionalProperties": true,
			"description": "An id, a text or a vector, and any number of fields: every other member is one. Without an id it gets one made from its content.",
			"properties":  object{"id": str, "text": str, "vector": object{"anyOf": []any{vector, object{"type": "string", "description": "packed"}}}}})
	case reflect.TypeFor[query.Example]():
		return own(object{"description": "A stored id, or one of an id, a text and a vector.", "anyOf": []any{str, number,
			object{"type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1, "properties": object{"id": str, "text": str, "vector": vector}}}})
	case reflect.TypeFor[query.SortKey]():
		return own(object{"description": "The name of a field, or a field and an order, asc or desc.", "anyOf": []any{str,
			object{"type": "object", "additionalProperties": false, "required": []any{"field"}, "properties": object{"field": str, "order": object{"enum": []any{"asc", "desc"}}}}}})
	case reflect.TypeFor[client.RerankDocuments]():
		text := object{"type": "object", "required": []any{"text"}, "properties": object{"text": str}}
		return own(object{"type": "array", "items": object{"anyOf": []any{str, text}}, "minItems": 1})
	case reflect.TypeFor[json.RawMessage]():
		return &jsonschema.Schema{}
	}
	return nil
}

// schema refers to the schema of a value's type, which it adds.
func (b *builder) schema(v any) object {
	if several, ok := v.(oneOf); ok {
		var out []any
		for _, one := range several {
			out = append(out, b.schema(one))
		}
		return object{"anyOf": out}
	}
	of := reflect.TypeOf(v)
	if of == reflect.TypeFor[object]() {
		return object{"type": "object"}
	}
	if of == reflect.TypeFor[list]() {
		return object{"type": "array", "items": b.schema(core.Document{})}
	}
	if s := b.special(of); s != nil {
		return object{"$ref": strings.Replace(s.Ref, "#/$defs/", "#/components/schemas/", 1)}
	}
	raw, err := json.Marshal(b.reflector.ReflectFromType(of))
	if err != nil {
		b.Fatal(err)
	}
	var root object
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(raw), "#/$defs/", "#/components/schemas/")), &root); err != nil {
		b.Fatal(err)
	}
	for name, s := range root["$defs"].(object) {
		if have, there := b.schemas[name]; there && b.types[name] == nil && fmt.Sprint(have) != fmt.Sprint(s) {
			b.Fatalf("two types are named %s", name)
		}
		b.schemas[name] = s
	}
	return object{"$ref": root["$ref"]}
}

// request is the schema of a body; no other members are allowed there.
func (b *builder) request(v any) object {
	s := b.schema(v)
	b.forbidOthers(s)
	return s
}

func (b *builder) forbidOthers(s any) {
	switch s := s.(type) {
	case []any:
		for _, one := range s {
			b.forbidOthers(one)
		}
	case object:
		for key, v := range s {
			if name, isRef := strings.CutPrefix(fmt.Sprint(v), "#/components/schemas/"); key == "$ref" && isRef && !b.strict[name] {
				b.strict[name] = true
				b.forbidOthers(b.schemas[name])
			}
			b.forbidOthers(v)
		}
	}
}

// close says what the types do not.
func (b *builder) close() {
	for name := range b.strict {
		if s := b.schemas[name].(object); s["properties"] != nil && s["additionalProperties"] == nil {
			s["additionalProperties"] = false
		}
	}
	member := func(schema, name string) object {
		m, ok := b.schemas[schema].(object)["properties"].(object)[name].(object)
		if !ok {
			b.Fatalf("%s has no member %s", schema, name)
		}
		return m
	}
	either := func(m object, kinds ...any) {
		delete(m, "type")
		delete(m, "items")
		m["anyOf"] = kinds
	}
	str := object{"type": "string"}
	strs := object{"type": "array", "items": str}
	for _, name := range []string{"half_life", "origin"} {
		member("Decay", name)["type"] = []any{"string", "number"}
	}
	either(member("AnswerRequest", "fields"), strs, object{"type": "object", "additionalProperties": true})
	either(member("EmbeddingRequest", "input"), str, strs)
	answer := member("AnswerResponse", "answer")
	ref := answer["$ref"]
	delete(answer, "$ref")
	either(answer, object{"$ref": ref}, object{"type": "null"})
	// Nested objects give ids as numbers, too.
	for _, request := range []string{"SearchRequest", "ClassifyRequest", "AnswerRequest"} {
		member(request, "id")["type"] = []any{"string", "number"}
		for _, name := range []string{"exclude", "session"} {
			member(request, name)["items"] = object{"type": []any{"string", "number"}}
		}
	}
}

// operation describes a route.
func (b *builder) operation(op operation, path string, open bool) object {
	out := object{"operationId": op.id, "summary": op.summary, "tags": []any{op.tag}}
	if op.detail != "" {
		out["description"] = op.detail
	}
	if open {
		out["security"] = []any{}
	}
	var parameters []any
	for _, m := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
		parameters = append(parameters, object{"name": m[1], "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	for _, p := range op.query {
		parameters = append(parameters, object{"name": p.name, "in": "query", "description": p.about, "schema": object{"type": p.kind}})
	}
	if op.task {
		parameters = append(parameters, object{"name": "Prefer", "in": "header", "description": "respond-async asks for a task that does the work (RFC 7240).", "schema": object{"type": "string"}})
	}
	if parameters != nil {
		out["parameters"] = parameters
	}
	if op.request != nil {
		out["requestBody"] = b.body(op)
	}
	responses := object{"default": object{"$ref": "#/components/responses/Problem"}}
	if op.id == "embeddings" {
		responses["default"] = object{"description": "An error.", "content": object{"application/json": object{"schema": b.schema(openAIError{})}, "application/problem+json": object{"schema": b.schema(client.Problem{})}}}
	}
	for _, status := range append(op.also, op.status) {
		responses[fmt.Sprint(status)] = b.response(op)
	}
	if op.task {
		responses["202"] = object{"description": "The task that does the work.", "content": object{"application/json": object{"schema": b.schema(client.Task{})}}}
	}
	out["responses"] = responses
	return out
}

func (b *builder) body(op operation) object {
	var example any
	if err := json.Unmarshal([]byte(op.body), &example); err != nil {
		b.Fatalf("the example of %s: %v", op.route, err)
	}
	content := object{"application/json": object{"schema": b.request(op.request), "example": example}}
	if op.lines != nil {
		content["application/x-ndjson"] = object{"schema": b.request(op.lines)}
	}
	required := op.id != "createCollection" && !op.task // of which every member has a default
	return object{"required": required, "content": content}
}

func (b *builder) response(op operation) object {
	switch op.reply {
	case nil:
		return object{"description": "Done."}
	case text{}:
		return object{"description": "The figures.", "content": object{"text/plain": object{"schema": object{"type": "string"}}}}
	}
	content := object{"application/json": object{"schema": b.schema(op.reply)}}
	if op.line != nil {
		content["application/x-ndjson"] = object{"schema": b.schema(op.line)}
	}
	return object{"description": "The answer.", "content": content}
}
