extension ReportPage {
    /// The style of the page: light or dark as the reader prefers, from a phone to a sheet of paper.
    ///
    /// Each colour of text has a contrast of at least 4.5 to what is behind it (WCAG 2.2, AA).
    static let style: HTML = """
        :root {
          color-scheme: light dark;
          --page: #fbfbfa; --card: #ffffff; --text: #1c2024; --soft: #59616a; --line: #dfe2e6; --link: #0b57b7;
          --good: #14622f; --good-back: #e2f3e7; --warning: #7a4a00; --warning-back: #fdf0d5;
          --bad: #9c1c14; --bad-back: #fde7e5; --plain-back: #eceef1;
          --expiry: #c2473c; --rotation: #2a6fc4; --retirement: #7d828a;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #121417; --card: #1a1d21; --text: #e7eaed; --soft: #a7b0b9; --line: #343a41; --link: #8dbdff;
            --good: #8fdca8; --good-back: #16351f; --warning: #f3c878; --warning-back: #3c2c0b;
            --bad: #ffaaa3; --bad-back: #451a17; --plain-back: #2a2f35;
            --expiry: #e0685d; --rotation: #5a9bea; --retirement: #8d939b;
          }
        }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 78rem; padding: 1.5rem 1rem 3rem; background: var(--page); color: var(--text);
          font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; overflow-wrap: anywhere; }
        h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; }
        h2 { font-size: 1.3rem; line-height: 1.3; margin: 0 0 .75rem; }
        h3 { font-size: 1rem; margin: 1.75rem 0 .5rem; }
        p { margin: .5rem 0; max-width: 70ch; }
        a { color: var(--link); text-underline-offset: .15em; }
        time { white-space: nowrap; }
        code { font: .875em ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
        small, .note, footer { color: var(--soft); font-size: .8125rem; }
        section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; margin-top: 1.25rem;
          padding: 1.25rem; scroll-margin-top: 1rem; }
        footer { margin-top: 1.5rem; }
        nav ul, .inline { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: .75rem 0; padding: 0; }
        .figures { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); list-style: none;
          margin: 1.25rem 0 0; padding: 0; }
        .figures a { background: var(--card); border: 1px solid var(--line); border-left: .3rem solid var(--line);
          border-radius: .6rem; color: var(--text); display: block; height: 100%; padding: .75rem 1rem; text-decoration: none; }
        .figures a:hover, .figures a:focus-visible { border-color: var(--link); }
        .figures .title { display: block; font-size: .875rem; }
        .figures strong { display: block; font-size: 1.75rem; font-weight: 650; line-height: 1.25; }
        .figures .note { display: block; }
        .figures .good a { border-left-color: var(--good); }
        .figures .warning a { border-left-color: var(--warning); }
        .figures .bad a { border-left-color: var(--bad); }
        .figures .bad strong { color: var(--bad); }
        .badge { border-radius: .3rem; display: inline-block; font-size: .8125rem; font-weight: 600; line-height: 1.3;
          padding: .1rem .4rem; white-space: nowrap; background: var(--plain-back); color: var(--text); }
        .badge.good { background: var(--good-back); color: var(--good); }
        .badge.warning { background: var(--warning-back); color: var(--warning); }
        .badge.bad { background: var(--bad-back); color: var(--bad); }
        .todo { list-style: none; margin: 0; padding: 0; }
        .todo li + li { margin-top: .4rem; }
        .todo small { display: block; }
        table { border-collapse: collapse; font-size: .875rem; line-height: 1.4; margin: .25rem 0 1rem; width: 100%; }
        caption { color: var(--soft); font-size: .8125rem; padding-bottom: .35rem; text-align: left; }
        th, td { border-bottom: 1px solid var(--line); padding: .45rem .6rem .45rem 0; text-align: left; vertical-align: top; }
        thead th { color: var(--soft); font-size: .8125rem; font-weight: 600; overflow-wrap: normal; }
        tbody th { font-weight: 600; min-width: 6.5rem; }
        tbody td { min-width: 4.75rem; }
        #keys tbody th { min-width: 8.5rem; }
        #keys tbody td:last-child { min-width: 13rem; }
        #coverage tbody th { min-width: 16rem; }
        tbody th small { display: block; font-weight: 400; }
        tbody tr:last-child > * { border-bottom: 0; }
        .weeks { list-style: none; margin: 0; padding: 0; font-size: .8125rem; }
        .weeks li { align-items: center; display: grid; gap: 0 .75rem; grid-template-columns: 5.5rem minmax(4rem, 24rem) 1fr;
          min-height: 1.5rem; }
        .weeks .label { color: var(--soft); font-variant-numeric: tabular-nums; }
        .bars { background: var(--plain-back); border-radius: .2rem; display: flex; height: .75rem; overflow: hidden; }
        .bar { flex: none; height: 100%; }
        .bar.expiry { background: var(--expiry); }
        .bar.rotation { background: var(--rotation); }
        .bar.retirement { background: var(--retirement); }
        @media screen and (max-width: 60rem) {
          table, tbody, tr, th, td { display: block; }
          thead { display: none; }
          caption { display: block; }
          tbody tr { border-bottom: 1px solid var(--line); padding: .6rem 0; }
          tbody tr:last-child { border-bottom: 0; }
          tbody th, tbody td { border: 0; padding: .1rem 0; }
          tbody td { display: grid; gap: 0 .75rem; grid-template-columns: 7rem minmax(0, 1fr); justify-items: start; }
          tbody td::before { color: var(--soft); content: attr(data-label); font-size: .8125rem; }
          tbody td > * { grid-column: 2; }
        }
        @media screen and (max-width: 34rem) {
          section { padding: 1rem .85rem; }
          .figures { grid-template-columns: 1fr 1fr; }
          .weeks li { grid-template-columns: 5.5rem minmax(2rem, 1fr); }
          .weeks .numbers { grid-column: 1 / -1; }
        }
        @media print {
          :root {
            color-scheme: light;
            --page: #ffffff; --card: #ffffff; --text: #000000; --soft: #444444; --line: #bbbbbb; --link: #000000;
            --good: #14622f; --good-back: #e2f3e7; --warning: #7a4a00; --warning-back: #fdf0d5;
            --bad: #9c1c14; --bad-back: #fde7e5; --plain-back: #eceef1;
            --expiry: #c2473c; --rotation: #2a6fc4; --retirement: #7d828a;
          }
          :root { font-size: 8.5pt; }
          body { max-width: none; padding: 0; }
          nav { display: none; }
          section { border: 0; padding: 0; }
          tr, li { break-inside: avoid; }
          h2, h3, caption { break-after: avoid; }
          thead { display: table-header-group; }
          .badge, .bar, .bars { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
        }

        """
}
