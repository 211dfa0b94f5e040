package api

import (
	"context"
	"errors"

	"github.com/breakwater-sec/breakwater/collect"
)

// credentials says where passwords come from, to whoever wants to connect a registry.
const credentials = "Passwords are not typed here and not stored: the server signs in with its own docker configuration (docker login, credential helpers, or the file of --registry-auth-file) or with what its configuration file names."

var errNotHere = errors.New("this server reads no registries")

// ListRegistries implements StrictServerInterface.
func (s *server) ListRegistries(context.Context, ListRegistriesRequestObject) (ListRegistriesResponseObject, error) {
	return ListRegistries200JSONResponse{Items: []Registry{}, Gaps: []collect.Gap{}, Credentials: credentials}, nil
}

// ConnectRegistry implements StrictServerInterface.
func (s *server) ConnectRegistry(context.Context, ConnectRegistryRequestObject) (ConnectRegistryResponseObject, error) {
	return nil, asked{errNotHere}
}

// CheckRegistry implements StrictServerInterface.
func (s *server) CheckRegistry(context.Context, CheckRegistryRequestObject) (CheckRegistryResponseObject, error) {
	return nil, asked{errNotHere}
}

// DisconnectRegistry implements StrictServerInterface.
func (s *server) DisconnectRegistry(context.Context, DisconnectRegistryRequestObject) (DisconnectRegistryResponseObject, error) {
	return nil, asked{errNotHere}
}

// ListRegistryImages implements StrictServerInterface.
func (s *server) ListRegistryImages(_ context.Context, r ListRegistryImagesRequestObject) (ListRegistryImagesResponseObject, error) {
	return nil, missing("no registry " + r.Params.Host + " is connected")
}

// RescanRegistry implements StrictServerInterface.
func (s *server) RescanRegistry(_ context.Context, r RescanRegistryRequestObject) (RescanRegistryResponseObject, error) {
	return nil, missing("no registry " + r.Params.Host + " is connected")
}
