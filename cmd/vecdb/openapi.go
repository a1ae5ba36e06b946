package main

import (
	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb/server"
)

func (a *app) openAPICommand() *cobra.Command {
	return &cobra.Command{
		Use:   "openapi",
		Short: "Print the description of the REST interface, an OpenAPI 3.1 document",
		Long: `Prints what a server answers to GET /openapi.json: all routes with the types of
requests and answers, for programs that make clients or show documents.`,
		Example: "  vecdb openapi > vecdb.json",
		Args:    exactly(0, ""),
		RunE: func(*cobra.Command, []string) error {
			_, err := a.out.Write(server.OpenAPI())
			return err
		},
	}
}
