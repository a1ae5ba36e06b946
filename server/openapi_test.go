package server_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/server"
)

var update = flag.Bool("update", false, "write openapi.json anew")

func TestTheOpenAPIDocumentIsThatOfTheRoutes(t *testing.T) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(document(t)); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("openapi.json", b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(b.Bytes(), server.OpenAPI()) {
		t.Error("routes or types have changed; run: go test ./server -run OpenAPI -update, and look at what changes in openapi.json")
	}
}

// openAPIValidator returns what compares with the document.
func openAPIValidator(t *testing.T) validator.Validator {
	t.Helper()
	data, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := libopenapi.NewDocument(data)
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(doc)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return v
}

func TestTheOpenAPIDocumentIsValid(t *testing.T) {
	v := openAPIValidator(t)
	if ok, errs := v.ValidateDocument(); !ok {
		for _, e := range errs {
			t.Error(e.Message, e.Reason)
			for _, s := range e.SchemaValidationErrors {
				t.Error(s.FieldPath, s.Reason)
			}
		}
	}
}

// TestTheExamplesOfTheOpenAPIDocumentWork makes each request that the document
// shows and holds it and its answer against the document.
func TestTheExamplesOfTheOpenAPIDocumentWork(t *testing.T) {
	v := openAPIValidator(t)
	r := newRig(t, server.Options{})
	id := ""
	for _, op := range operations() {
		method, _, _ := strings.Cut(op.route, " ")
		if op.id == "listTasks" {
			id = read[client.Task](t, r.want(http.StatusAccepted, "POST", "/v1/collections/films/train", "", "Prefer", "respond-async")).ID
		}
		path := strings.Replace(op.path, "TASK", id, 1)
		got := r.want(op.status, method, path, op.body)
		req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(op.body))
		if err != nil {
			t.Fatal(err)
		}
		if op.body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		got.Body = io.NopCloser(bytes.NewReader(got.body))
		if ok, errs := v.ValidateHttpRequestResponse(req, got.Response); !ok {
			for _, e := range errs {
				t.Errorf("%s: %s: %s\n%s", op.route, e.Message, e.Reason, got.body)
				for _, s := range e.SchemaValidationErrors {
					t.Errorf("%s: %s", s.FieldPath, s.Reason)
				}
			}
		}
	}
}

func TestTheServerTellsItsInterface(t *testing.T) {
	r := newRig(t, server.Options{})
	got := r.want(http.StatusOK, "GET", "/openapi.json", "")
	if !bytes.Equal(got.body, server.OpenAPI()) || !strings.HasPrefix(got.Header.Get("Content-Type"), "application/json") {
		t.Errorf("%d bytes of %s", len(got.body), got.Header.Get("Content-Type"))
	}
}
