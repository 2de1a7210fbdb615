import { awsSecretStore } from '#core/secret/aws/aws-secret-store.ts'
import { awsDouble } from '../doubles/aws-double.ts'
import { awsSubject } from './aws-subject.ts'
import { storeContract } from './store-contract.ts'
import { storeFaultContract } from './store-fault-contract.ts'

const region = 'eu-central-1'
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }

storeContract('AWS double', async () => {
  const double = awsDouble()
  return awsSubject({ region, credentials, endpoint: double.url }, () => double.stop())
})

storeFaultContract(
  'AWS double',
  async () => {
    const double = awsDouble()
    return {
      store: awsSecretStore({ region, credentials, endpoint: double.url }),
      strike: (fault, times = 1) => double.strike(fault, { times }),
      clear() {
        double.clear()
        double.secrets.hideNewFor(0)
      },
      hideNewFor: (requests) => double.secrets.hideNewFor(requests),
      close: () => double.stop(),
    }
  },
  { hasLogins: false, hidesNew: true },
)
