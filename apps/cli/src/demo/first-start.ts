/** The first start of the demonstration's services. */
import { startDemoServices, type DemoServices } from './services.ts';
import { forgetDemoSettings, makeDemoSettings, type MadeDemoSettings } from './settings.ts';

export interface FirstStart {
  /** Of the settings. */
  readonly folder: string;
  readonly controlPlaneUrl: string;
  readonly logs: string;
  readonly say: (sentence: string) => void;
  /** For tests. @default makeDemoSettings */
  readonly make?: typeof makeDemoSettings;
}

const attempts = 4;

/**
 * Makes settings and starts the services with them. A port that was free may be taken a moment later, by another Hoop that
 * starts at the same time: then both are made anew, and are forgotten where that fails too.
 */
export async function startDemoFirst({
  folder,
  controlPlaneUrl,
  logs,
  say,
  make = makeDemoSettings,
}: FirstStart): Promise<MadeDemoSettings & { readonly services: DemoServices }> {
  for (let attempt = 1; ; attempt++) {
    const made =
      attempt === 1 ? await make(folder, controlPlaneUrl) : await make(folder, controlPlaneUrl, { identityProvider: 0, payments: 0 });
    try {
      return { ...made, services: await startDemoServices(made.settings, logs, say) };
    } catch (error) {
      await forgetDemoSettings(folder);
      if (attempt === attempts || !(error as Error).message.includes('EADDRINUSE')) throw error;
    }
  }
}
