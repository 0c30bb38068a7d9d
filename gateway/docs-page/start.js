// Shows /openapi.json. "Authorize" takes a token: `jingwei token --role dispatcher --scope 410182`.
SwaggerUIBundle({
  url: "../openapi.json",
  dom_id: "#page",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "none",
  filter: true,
  validatorUrl: null,
});
