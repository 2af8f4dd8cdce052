"""Holds the manifests of a folder against the schemas of the Kubernetes API, as strictly as they go, and what no schema says
against a list: what the pod may do, and what KEDA is told. Prints each mistake; ends with 1 if there is one.

Needs `pip install kubernetes-validate`, which brings the schemas and PyYAML. Not here: KEDA's own schema, and a cluster."""

import re
import sys
from pathlib import Path

import kubernetes_validate
import yaml

# Of kustomize and KEDA: the API of Kubernetes has no schema of them.
OTHERS = {"Kustomization", "ScaledObject", "TriggerAuthentication", "PodMonitor"}
mistakes = []


def check(holds, words):
    if not holds:
        mistakes.append(words)


def read(folder):
    """Every document of every file, by kind. Each file is part of a kustomization beside it."""
    found = {}
    for file in sorted(folder.rglob("*.yaml")):
        for document in yaml.safe_load_all(file.read_text()):
            found.setdefault(document["kind"], []).append((file, document))
            if document["kind"] not in OTHERS:
                hold(file, document)
    for file, kustomization in found["Kustomization"]:
        beside = {path.name for path in file.parent.glob("*.yaml")} - {file.name}
        named = {name for name in kustomization["resources"] if name.endswith(".yaml")}
        check(beside == named, f"{file}: names {sorted(named)}, and beside it are {sorted(beside)}")
    return {kind: [document for _, document in documents] for kind, documents in found.items()}


def hold(file, document):
    try:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    except kubernetes_validate.ValidationError as error:
        mistakes.append(f"{file}: {'.'.join(map(str, error.path))}: {error.message}")


def pod(kinds):
    deployment = kinds["Deployment"][0]["spec"]
    spec = deployment["template"]["spec"]
    container = spec["containers"][0]
    security, of_container = spec["securityContext"], container["securityContext"]
    check(security["runAsNonRoot"] is True, "the pod may run as root")
    check(security["seccompProfile"] == {"type": "RuntimeDefault"}, "the pod has no seccomp profile")
    check(of_container["capabilities"] == {"drop": ["ALL"]}, "the container keeps capabilities")
    check(of_container["readOnlyRootFilesystem"] is True, "the container can write")
    check(of_container["allowPrivilegeEscalation"] is False, "the container may gain privileges")
    check(spec["automountServiceAccountToken"] is False, "the pod gets a token of the cluster")
    check("env" not in container, "something comes by the environment: secrets come as files")
    check(container["livenessProbe"]["httpGet"]["path"] == "/livez", "liveness asks something else than /livez")
    check(container["readinessProbe"]["httpGet"]["path"] == "/readyz", "readiness asks something else than /readyz")
    check("memory" in container["resources"]["limits"], "memory has no limit")
    check(deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}, "an update takes replicas away")
    modes = [volume["projected"]["defaultMode"] for volume in spec["volumes"] if "projected" in volume]
    check(modes == [0o440], f"the secrets have the modes {[oct(mode) for mode in modes]}")
    labels = deployment["template"]["metadata"]["labels"]
    for kind, selector in [
        ("Deployment", deployment["selector"]["matchLabels"]),
        ("PodDisruptionBudget", kinds["PodDisruptionBudget"][0]["spec"]["selector"]["matchLabels"]),
        ("NetworkPolicy", kinds["NetworkPolicy"][0]["spec"]["podSelector"]["matchLabels"]),
        ("Service", kinds["Service"][0]["spec"]["selector"]),
        ("PodMonitor", kinds["PodMonitor"][0]["spec"]["selector"]["matchLabels"]),
    ]:
        check(bool(selector) and selector.items() <= labels.items(), f"{kind} selects {selector}, the pods have {labels}")


def monitoring(kinds):
    ports = {port["name"] for port in kinds["Deployment"][0]["spec"]["template"]["spec"]["containers"][0]["ports"]}
    asked = {endpoint["port"] for endpoint in kinds["PodMonitor"][0]["spec"]["podMetricsEndpoints"]}
    check(asked and asked <= ports, f"the PodMonitor asks at {sorted(asked)}, the pods have {sorted(ports)}")
    maps = [made for kustomization in kinds["Kustomization"] for made in kustomization.get("configMapGenerator", [])]
    kept = [made["options"]["disableNameSuffixHash"] for made in maps]
    check(kept == [True], "the name of the ConfigMap changes with the file: a changed rule would be a rollout")
    for rule in kinds["NetworkPolicy"][0]["spec"]["egress"]:
        check(bool(rule.get("to")), f"egress to port {rule['ports'][0]['port']} names no peer")


def scaling(kinds):
    scaled = kinds["ScaledObject"][0]["spec"]
    triggers = {trigger["name"]: trigger for trigger in scaled["triggers"]}
    check(scaled["scaleTargetRef"]["name"] == kinds["Deployment"][0]["metadata"]["name"], "scales something else")
    backlog = triggers["backlog"]
    check(backlog["type"] == "rabbitmq" and backlog["metadata"]["protocol"] == "http", "amqp does not see what is unacknowledged")
    check(backlog["metadata"]["excludeUnacknowledged"] == "false", "what is unacknowledged is not counted")
    known = {authentication["metadata"]["name"] for authentication in kinds["TriggerAuthentication"]}
    check(backlog["authenticationRef"]["name"] in known, "the trigger authenticates by what is not there")
    modifiers = scaled["advanced"]["scalingModifiers"]
    words = set(modifiers["formula"].replace("*", " ").split())
    check(set(triggers) <= words, f"the formula leaves out {sorted(set(triggers) - words)}")
    check(modifiers["target"] in words, "to hold is replicas times the target, and the formula has another number")
    holds(modifiers)
    check(scaled["minReplicaCount"] >= 1, "at none, nothing tells that the gate is open again")
    values = [str(value) for trigger in triggers.values() for value in trigger["metadata"].values()]
    check(all(isinstance(v, str) for t in triggers.values() for v in t["metadata"].values()), f"KEDA takes texts: {values}")


def holds(modifiers):
    """What the formula asks for, as KEDA reckons it: so many replicas are wanted as the target goes into it."""
    formula, target = modifiers["formula"], float(modifiers["target"])
    condition, whether, otherwise = re.fullmatch(r"(.+?) \? (.+?) : (.+)", formula).groups()
    for shut, replicas, backlog, wanted in [(0, 3, 1000, 5), (1, 3, 1000, 3), (1, 3, 0, 3), (0, 3, 0, 0)]:
        names = {"shut": shut, "replicas": replicas, "backlog": backlog}
        given = eval(whether if eval(condition, {}, names) else otherwise, {}, names) / target
        words = f"shut {shut}, {replicas} replicas and {backlog} events: asks for {given} replicas, not for {wanted}"
        check(given == wanted, words)


def main():
    kinds = read(Path(sys.argv[1]))
    pod(kinds)
    scaling(kinds)
    monitoring(kinds)
    print("\n".join(mistakes))
    return 1 if mistakes else 0


sys.exit(main())
