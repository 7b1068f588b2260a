// A small system without faults, for tests that break it in one place at a time.
import { parseObjects } from './kubectl.ts'
import { findObject, type KubernetesObject, type Workload } from './kubernetes-object.ts'

const TEXT = `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { MAIL_HOSTNAME: mail.example.test, DRAIN_TIMEOUT_MS: '20000' }
---
apiVersion: v1
kind: Secret
metadata: { name: keys }
data: { url: cG9zdGdyZXM6Ly9wb3N0Z3Jlcy94 }
stringData: { api-key: a-key }
---
apiVersion: v1
kind: Service
metadata: { name: mx-gateway }
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: { app: mx-gateway }
  ports: [{ name: smtp, port: 25, targetPort: smtp }]
---
apiVersion: v1
kind: Service
metadata: { name: postgres }
spec:
  selector: { app: postgres }
  ports: [{ name: postgres, port: 5432, targetPort: postgres }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: mx-gateway }
spec:
  selector: { matchLabels: { app: mx-gateway } }
  template:
    metadata:
      labels: { app: mx-gateway }
      annotations: { prometheus.io/port: '9090' }
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: 60
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: RuntimeDefault } }
      containers:
        - name: service
          image: sekimori/mx-gateway:1.0
          envFrom: [{ configMapRef: { name: settings } }]
          env:
            - { name: DATABASE_URL_FILE, value: /run/secrets/url }
            - { name: API_KEY_FILE, value: /run/keys/the-key }
          ports:
            - { name: smtp, containerPort: 1025 }
            - { name: health, containerPort: 9090 }
          livenessProbe: { httpGet: { path: /livez, port: health } }
          readinessProbe: { httpGet: { path: /readyz, port: health } }
          lifecycle: { preStop: { sleep: { seconds: 5 } } }
          resources: { requests: { cpu: 100m, memory: 1Gi }, limits: { memory: 1Gi } }
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            - { name: urls, mountPath: /run/secrets }
            - { name: keys, mountPath: /run/keys }
      volumes:
        - { name: urls, secret: { secretName: keys } }
        - { name: keys, projected: { sources: [{ secret: { name: keys, items: [{ key: api-key, path: the-key }] } }] } }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: postgres }
spec:
  selector: { matchLabels: { app: postgres } }
  template:
    metadata: { labels: { app: postgres } }
    spec:
      containers: [{ name: postgres, image: 'postgres:18', ports: [{ name: postgres, containerPort: 5432 }] }]
`

/** The objects, anew for each test. */
export function sampleSystem(): KubernetesObject[] {
  return parseObjects(TEXT)
}

/** The sample's service; a change to it is a change to the objects. */
export function sampleWorkload(objects: KubernetesObject[]): Workload {
  return findObject<Workload>(objects, 'Deployment', 'mx-gateway')!
}
