// A SCIM server whose protocol is scimmy's; only the storage is ours. The mode says what a DELETE
// and an inactive user do: `hard` forgets, `soft` keeps the user as inactive, `hide` does so too and
// leaves inactive users out of lists. Filters are not applied, as in the example that its authors give.
//   node scimmy.mjs MODE PORT TOKEN, from the folder where the packages are installed
import { randomUUID } from "node:crypto";
import express from "express";
import SCIMMYRouters, { SCIMMY } from "scimmy-routers";

const [mode, port, token] = process.argv.slice(2);
const stores = { User: new Map(), Group: new Map() };

function ingress(store) {
    return (resource, data) => {
        const now = new Date();
        const before = store.get(resource.id);
        if (resource.id && !before) {
            throw new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);
        }
        const name = (it) => it.userName?.toLowerCase();
        for (const other of store.values()) {
            if (other.id !== resource.id && name(other) && name(other) === name(data)) {
                throw new SCIMMY.Types.Error(409, "uniqueness", "this userName is taken");
            }
        }
        const id = resource.id ?? randomUUID();
        const created = before?.meta.created ?? now;
        const row = { ...JSON.parse(JSON.stringify(data)), id, meta: { created, lastModified: now } };
        store.set(id, row);
        return row;
    };
}

function egress(store) {
    return (resource) => {
        if (resource.id) {
            const found = store.get(resource.id);
            if (!found) {
                throw new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);
            }
            return found;
        }
        return [...store.values()].filter((it) => mode !== "hide" || it.active !== false);
    };
}

function degress(store) {
    return (resource) => {
        const found = store.get(resource.id);
        if (!found) {
            throw new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);
        }
        if (mode === "hard") {
            store.delete(resource.id);
        } else {
            store.set(resource.id, { ...found, active: false });
        }
    };
}

for (const [name, store] of Object.entries(stores)) {
    SCIMMY.Resources.declare(SCIMMY.Resources[name])
        .ingress(ingress(store)).egress(egress(store)).degress(degress(store));
}

const handler = (request) => {
    if (request.header("authorization") !== `Bearer ${token}`) {
        throw new Error("the token is not valid");
    }
    return "reader";
};
const app = express();
app.use("/scim/v2", new SCIMMYRouters({ type: "bearer", handler }));
app.listen(Number(port), "127.0.0.1");
