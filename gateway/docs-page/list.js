// Lists the operations of /openapi.json by service.
const list = document.getElementById("list");

function add(parent, name, text) {
  const element = document.createElement(name);
  if (text) element.textContent = text;
  return parent.appendChild(element);
}

fetch("../openapi.json").then((response) => response.json()).then((api) => {
  for (const tag of api.tags) {
    add(list, "h2", tag.name);
    add(list, "p", tag.description);
    const items = add(list, "ul");
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (!operation.tags.includes(tag.name)) continue;
        const item = add(items, "li");
        add(item, "code", `${method.toUpperCase()} ${path}`);
        item.append(` ${operation.summary}`);
      }
    }
  }
}).catch((error) => add(list, "p", `读不到 /openapi.json / cannot read /openapi.json: ${error}`));
