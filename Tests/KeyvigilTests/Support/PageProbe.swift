import Foundation
import Testing

/// A page in a real browser, Chromium without a window: what a reader sees of it at several widths, in light and in dark.
struct PageProbe {
    /// What the browser has made of the page at one width.
    struct View: Decodable {
        let width: Int
        /// The width that the content takes, in pixels.
        let contentWidth: Int
        /// Elements that reach beyond the window.
        let outside: [String]
        /// The levels of the headings, in order.
        let headings: [Int]
        /// Texts whose contrast to what is behind them is below 4.5, each with its contrast.
        let faint: [String]
        let texts: Int
        let background: String
        let scripts: Int
        /// What the page would load or lead to, but for its own sections.
        let links: [String]
        /// Attributes that run something.
        let handlers: Int
        let text: String
        let columnsWithoutScope: Int
        let unnamedSections: Int
    }

    struct Answer: Decodable {
        let views: [View]
        /// Whether something of the page has run.
        let didRun: Bool
    }

    static let widths = [360, 800, 1280]

    let work: Workplace

    /// - Parameter isDark: what the reader prefers.
    func look(at page: String, isDark: Bool) throws -> Answer {
        let json = String(decoding: try JSONEncoder().encode(page), as: UTF8.self)
            .replacing("<", with: "\\u003c")
        let outcome = try browse(
            Self.probe.replacing("PAGE", with: json),
            ["--blink-settings=preferredColorScheme=\(isDark ? 0 : 1)", "--window-size=1300,900", "--dump-dom"])
        let answer = outcome.output.firstMatch(of: #/<pre id="answer">(.*?)</pre>/#.dotMatchesNewlines())
        let encoded = try #require(answer, "\(outcome.errors.suffix(2000))").output.1
        let data = try #require(Data(base64Encoded: String(encoded)))
        return try JSONDecoder().decode(Answer.self, from: data)
    }

    /// The lines of the page as it is printed, laid out as on the paper.
    func printed(_ page: String) throws -> [Substring] {
        let sheets = work.path("browser/sheets.pdf")
        let outcome = try browse(page, ["--print-to-pdf=\(sheets)"])
        let text = try work.run("/usr/bin/pdftotext", ["-layout", sheets, "-"])
        try #require(text.status == 0, "\(text.errors)\(outcome.errors.suffix(2000))")
        return text.output.split(separator: "\n")
    }

    /// Runs the browser on a page to its end.
    private func browse(_ page: String, _ options: [String]) throws -> Workplace.Outcome {
        try work.write(page, to: "probe.html")
        // The browser is no program for root, and another user's home is not to be touched.
        let home = work.path("browser")
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        var command = ["env", "HOME=\(home)", "XDG_CONFIG_HOME=\(home)", "chromium"]
        if geteuid() == 0 {
            try FileManager.default.setAttributes([.posixPermissions: 0o711], ofItemAtPath: work.directory.path)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: work.path("probe.html"))
            #expect(try work.run("/usr/bin/chown", ["nobody", home]).status == 0)
            command = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] + command
        }
        return try work.run(
            "/usr/bin/env",
            command + ["--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking"] + options
                + ["file://\(work.path("probe.html"))"])
    }

    private static let probe = """
        <!DOCTYPE html><meta charset="utf-8"><body style="margin:0"><pre id="answer"></pre><script>
        const page = PAGE;
        const frames = [360, 800, 1280].map(width => {
          const frame = document.createElement("iframe");
          frame.style = `width:${width}px;height:900px;border:0`;
          frame.srcdoc = page;
          document.body.append(frame);
          return [width, frame];
        });
        function channels(color) {
          const found = color.match(/[\\d.]+/g).map(Number);
          return found.length < 4 ? [...found, 1] : found;
        }
        function luminance(color) {
          const [r, g, b] = channels(color).map(value => {
            const part = value / 255;
            return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
          });
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        }
        function backgroundOf(element) {
          for (let at = element; at; at = at.parentElement) {
            const color = at.ownerDocument.defaultView.getComputedStyle(at).backgroundColor;
            if (channels(color)[3] === 1) return color;
          }
          return "rgb(255, 0, 255)";
        }
        function view(width, frame) {
          const page = frame.contentDocument, all = [...page.body.querySelectorAll("*")];
          const faint = [];
          let texts = 0;
          for (const element of all) {
            const own = [...element.childNodes].filter(node => node.nodeType === 3 && node.data.trim());
            if (!own.length || !element.getClientRects().length) continue;
            texts += 1;
            const [a, b] = [getComputedStyle(element).color, backgroundOf(element)].map(luminance).sort((x, y) => y - x);
            const contrast = (a + 0.05) / (b + 0.05);
            if (contrast < 4.5) faint.push(`${element.tagName}.${element.className} ${contrast.toFixed(2)}`);
          }
          const links = all.flatMap(element => ["src", "href", "action", "data"].map(name => element.getAttribute(name)))
            .filter(value => value !== null && !value.startsWith("#"));
          return {
            width, contentWidth: page.documentElement.scrollWidth,
            outside: all.filter(element => element.getBoundingClientRect().right > width + 0.5).map(e => e.outerHTML.slice(0, 80)),
            headings: [...page.querySelectorAll("h1,h2,h3,h4,h5,h6")].map(element => Number(element.tagName[1])),
            faint, texts, background: getComputedStyle(page.body).backgroundColor, scripts: page.scripts.length, links,
            handlers: all.filter(element => [...element.attributes].some(attribute => attribute.name.startsWith("on"))).length,
            text: page.body.textContent,
            columnsWithoutScope: [...page.querySelectorAll("th")].filter(element => !element.scope).length,
            unnamedSections: [...page.querySelectorAll("section")].filter(
              element => !page.getElementById(element.getAttribute("aria-labelledby"))).length,
          };
        }
        addEventListener("load", () => {
          const answer = { views: frames.map(([width, frame]) => view(width, frame)), didRun: "ran" in window };
          const bytes = new TextEncoder().encode(JSON.stringify(answer));
          document.getElementById("answer").textContent = btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(""));
          for (const [, frame] of frames) frame.remove();
        });
        </script>
        """
}
