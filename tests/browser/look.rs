//! Emulated devices and screenshots.

use std::path::Path;

use serde_json::json;

use crate::driver::Window;

/// An emulated device.
pub struct Look {
    pub name: &'static str,
    width: u32,
    height: u32,
    touch: bool,
    dark: bool,
}

/// A desktop and a phone, each in light and dark mode.
pub const LOOKS: [Look; 4] = [
    Look::desktop("desktop-light", false),
    Look::desktop("desktop-dark", true),
    Look::phone("phone-light", false),
    Look::phone("phone-dark", true),
];

impl Look {
    const fn desktop(name: &'static str, dark: bool) -> Self {
        Self {
            name,
            width: 1280,
            height: 800,
            touch: false,
            dark,
        }
    }

    const fn phone(name: &'static str, dark: bool) -> Self {
        Self {
            name,
            width: 390,
            height: 844,
            touch: true,
            dark,
        }
    }
}

impl Window {
    /// Emulates the device.
    pub async fn look(&self, look: &Look) {
        let scheme = if look.dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", media).await;
        let size = json!({ "width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": look.touch });
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await;
        let touch = json!({ "enabled": look.touch, "maxTouchPoints": 1 });
        self.devtools("Emulation.setTouchEmulationEnabled", touch)
            .await;
    }

    /// Saves a screenshot for manual review if `PARLOR_SHOTS` names a folder.
    pub async fn shot(&self, name: &str) {
        if let Some(folder) = std::env::var_os("PARLOR_SHOTS") {
            let picture = self.client.screenshot().await.unwrap();
            std::fs::write(Path::new(&folder).join(format!("{name}.png")), picture).unwrap();
        }
    }
}
