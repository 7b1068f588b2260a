// Every service has a manifest of its own, and every manifest a service.

/** Services, manifest files of k8s/base and workloads that have no counterpart. */
export function coverageFaults(services: string[], manifests: string[], workloads: string[]): string[] {
  const known = new Set(services)
  const missing = (from: string[], what: string) =>
    [...known.difference(new Set(from))].map((name) => `services/${name} has no ${what}`)
  const surplus = (from: string[], what: string) =>
    [...new Set(from).difference(known)].map((name) => `${what} ${name} belongs to no service`)
  return [
    ...missing(manifests, 'manifest in k8s/base'),
    ...surplus(manifests, 'manifest'),
    ...missing(workloads, 'workload'),
    ...surplus(workloads, 'workload'),
  ]
}
