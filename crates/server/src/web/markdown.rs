//! What Apps and people write, as HTML that is safe to show: comrak renders it, leaves raw HTML out and links only
//! where a link may lead.

use std::sync::LazyLock;

use comrak::Options;

static OPTIONS: LazyLock<Options<'static>> = LazyLock::new(|| {
    let mut options = Options::default();
    options.extension.autolink = true;
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.tasklist = true;
    options.render.hardbreaks = true;
    // The tags that were written are shown as text, and `javascript:` and its like lead nowhere.
    options.render.escape = true;
    options.render.r#unsafe = false;
    options
});

/// Markdown as HTML.
pub fn render(text: &str) -> String {
    comrak::markdown_to_html(text, &OPTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_common_is_rendered() {
        let html =
            render("**Hello** `code` ~~gone~~\n\n* one\n\n|a|b|\n|-|-|\n|1|2|\n\nhttps://example.com/x");
        for part in
            ["<strong>Hello</strong>", "<code>code</code>", "<del>gone</del>", "<li>one</li>", "<td>1</td>"]
        {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(html.contains(r#"<a href="https://example.com/x">"#), "{html}");
    }

    #[test]
    fn nothing_hostile_gets_through() {
        let corpus = [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "a <b onmouseover=alert(1)>b</b>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](\u{1}javascript:alert(1))",
            "[x](java&#115;cript:alert(1))",
            "[x](vbscript:x)",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "![x](data:image/svg+xml;base64,PHN2Zz4=)",
            "![x\" onerror=\"alert(1)](https://x/i.png)",
            "<javascript:alert(1)>",
            "[a]: javascript:alert(1)\n\n[a]",
            "<svg><style><img src=x onerror=alert(1)>",
            "[[[[[[x](javascript:a)](javascript:b)](c)",
            "`<script>`\n\n    <script>\n\n```html\n<script>\n```",
            "|<script>|\n|-|\n|<iframe src=//x>|",
        ];
        for text in corpus {
            let html = render(text);
            // Whatever is left of a tag is text, and no attribute can be opened from within one.
            for tag in ["<script", "<img src=x", "<b ", "<svg", "<style", "<iframe"] {
                assert!(!html.contains(tag), "{text}: {html}");
            }
            for link in ["href=\"javascript", "href=\"vbscript", "href=\"data", "src=\"data", "\" onerror=\""]
            {
                assert!(!html.to_lowercase().contains(link), "{text}: {html}");
            }
        }
    }
}
