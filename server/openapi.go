package server

import (
	_ "embed" // for the document
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"
)

// openAPI describes all routes. TestTheOpenAPIDocumentIsThatOfTheRoutes makes it
// of the types of requests and replies.
//
//go:embed openapi.json
var openAPI []byte

// OpenAPI returns the description of the REST interface, an OpenAPI 3.1 document
// in JSON.
func OpenAPI() []byte { return slices.Clone(openAPI) }

func (s *Server) openAPI(c *gin.Context) {
	c.Data(http.StatusOK, "application/json; charset=utf-8", openAPI)
}
