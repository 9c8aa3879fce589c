using System.Linq;

namespace Ferry.Config;

/// <summary>Makes a tree of directives out of a file and all that it includes; goes on after every mistake.</summary>
internal sealed partial class ConfigParser(ConfigFindings findings, string includeFolder, string shownFolder)
{
    /// <summary>Blocks within blocks; the language itself needs three.</summary>
    private const int MostNesting = 16;

    /// <summary>Arguments of one directive.</summary>
    private const int MostArguments = 2048;

    /// <summary>A file being read, one token ahead.</summary>
    private sealed class Cursor
    {
        private readonly ConfigLexer _lexer;

        public Cursor(ConfigSource source, ConfigFindings findings)
        {
            Unclosed = CountUnclosed(source);
            _lexer = new ConfigLexer(source, findings);
            Next = _lexer.Next();
        }

        public ConfigToken Next { get; private set; }

        /// <summary>Closing braces that the file lacks. While it lacks none, a block in the wrong place is just that.</summary>
        public int Unclosed { get; set; }

        public ConfigToken Take()
        {
            var taken = Next;
            Next = _lexer.Next();
            return taken;
        }

        private static int CountUnclosed(ConfigSource source)
        {
            var lexer = new ConfigLexer(source, new ConfigFindings { IsMuted = true });
            var unclosed = 0;
            for (var kind = lexer.Next().Kind; kind != ConfigTokenKind.End; kind = lexer.Next().Kind)
                unclosed += kind switch { ConfigTokenKind.Open => 1, ConfigTokenKind.Close => -1, _ => 0 };
            return unclosed;
        }
    }

    /// <summary>A block being read; the outermost one of a file has no opener.</summary>
    private sealed record Frame(ConfigContexts Context, ConfigToken? Opener, Frame? Parent, int Depth)
    {
        public bool HasAncestorWithin(ConfigContexts contexts)
        {
            // The beginning of a file is a wall, as in nginx: a file closes the blocks that it opened itself.
            for (var frame = this; frame is { Opener: not null, Parent: { } parent }; frame = parent)
            {
                if (contexts.HasFlag(parent.Context))
                    return true;
            }
            return false;
        }
    }

    private sealed record Head(ConfigToken Name, List<ConfigToken> Arguments);

    public List<ConfigNode> Parse(ConfigSource source)
    {
        List<ConfigNode> nodes = [];
        ParseFile(source, new Frame(ConfigContexts.Main, null, null, 0), nodes);
        return nodes;
    }

    /// <summary>Reads directives without their blocks and without including anything: all else is a word like others.</summary>
    public List<ConfigNode> ParseFlat(ConfigSource source)
    {
        List<ConfigNode> nodes = [];
        List<ConfigToken> words = [];
        var lexer = new ConfigLexer(source, findings);
        for (var token = lexer.Next(); ; token = lexer.Next())
        {
            if (token.Kind == ConfigTokenKind.Word)
            {
                if (words.Count <= MostArguments)
                    words.Add(token);
                continue;
            }
            if (token.Kind != ConfigTokenKind.Semicolon && (words.Count > 0 || token.Kind != ConfigTokenKind.End))
                findings.Error(words.Count > 0 ? words[0] : token, "a directive ends with \";\", and there is no block here");
            else if (words.Count > 0)
                nodes.Add(new ConfigNode(words[0], [.. words.Skip(1)], null));
            if (token.Kind == ConfigTokenKind.End || findings.IsFull)
                return nodes;
            words.Clear();
        }
    }

    private void ParseFile(ConfigSource source, Frame frame, List<ConfigNode> into) =>
        ParseBody(new Cursor(source, findings), frame, into);

    /// <summary>Reads to the end of a block or file. What it gives back is a block of its parent, before which this one was not closed.</summary>
    private Head? ParseBody(Cursor cursor, Frame frame, List<ConfigNode> into)
    {
        while (true)
        {
            var token = cursor.Next;
            switch (token.Kind)
            {
                case ConfigTokenKind.End when frame.Opener is { } opener:
                    findings.Error(opener, $"block {ConfigFindings.Show(opener.Text)} is opened here and never closed: \"}}\" is missing");
                    return null;
                case ConfigTokenKind.End:
                    return null;
                case ConfigTokenKind.Close:
                    cursor.Take();
                    if (frame.Opener is not null)
                        return null;
                    findings.Error(token, "unexpected \"}\": no block is open here");
                    break;
                case ConfigTokenKind.Semicolon:
                    cursor.Take();
                    findings.Error(token, "unexpected \";\": a directive begins with its name");
                    break;
                case ConfigTokenKind.Open:
                    cursor.Take();
                    findings.Error(token, "unexpected \"{\": a block begins with its name");
                    SkipBlock(cursor, token);
                    break;
                default:
                    if (ParseDirective(cursor, frame, into) is { } unplaced)
                        return unplaced;
                    break;
            }
        }
    }

    private Head? ParseDirective(Cursor cursor, Frame frame, List<ConfigNode> into)
    {
        var head = new Head(cursor.Take(), []);
        var last = head.Name;
        var block = DirectiveTable.Find(head.Name.Text, frame.Context) is { IsBlock: true } found ? found : null;
        while (cursor.Next is { Kind: ConfigTokenKind.Word } word && !BeginsDirective(word, last, frame.Context | (block?.Opens ?? ConfigContexts.None)))
        {
            last = cursor.Take();
            if (head.Arguments.Count < MostArguments)
                head.Arguments.Add(last);
            else if (head.Arguments.Count == MostArguments)
                findings.Error(last, $"{ConfigFindings.Show(head.Name.Text)} has more than {MostArguments} arguments: is a \";\" missing?");
        }

        if (cursor.Next.Kind == ConfigTokenKind.Open)
        {
            cursor.Take();
            return ParseBlock(cursor, frame, head, into);
        }
        if (cursor.Next.Kind == ConfigTokenKind.Semicolon)
            cursor.Take();
        else if (block is not null)
        {
            ReportMissing(last, '{', head.Name);
            if (cursor.Next.Kind == ConfigTokenKind.Word)
                return ParseBlock(cursor, frame, head, into);
            into.Add(new ConfigNode(head.Name, head.Arguments, []));
            return null;
        }
        else
            ReportMissing(last, ';', head.Name);

        if (head.Name.Text == "include")
            Include(head.Name, head.Arguments, frame, into);
        else
            into.Add(new ConfigNode(head.Name, head.Arguments, null));
        return null;
    }

    /// <summary>Whether a word on a new line is the next directive, so that the one before it lacks its semicolon.</summary>
    private static bool BeginsDirective(ConfigToken word, ConfigToken last, ConfigContexts contexts) =>
        !word.IsQuoted
        && DirectiveTable.Find(word.Text, contexts) is not null
        && word.Source.LineIndexAt(word.Start) > last.Source.LineIndexAt(Math.Max(last.Start, last.End - 1));

    private void ReportMissing(ConfigToken last, char mark, ConfigToken name) =>
        findings.Error(last.Source, last.End, 1,
            $"\"{mark}\" is missing after {ConfigFindings.Show(last.Text)}{(last == name ? "" : $", at the end of {ConfigFindings.Show(name.Text)}")}");

    /// <summary>Reads a block whose brace has been taken.</summary>
    private Head? ParseBlock(Cursor cursor, Frame frame, Head head, List<ConfigNode> into)
    {
        var directive = DirectiveTable.FindBlock(head.Name.Text, frame.Context);
        if (cursor.Unclosed > 0 && directive is not null && frame.Opener is { } open
            && !directive.Contexts.HasFlag(frame.Context) && frame.HasAncestorWithin(directive.Contexts))
        {
            findings.Error(open,
                $"block {ConfigFindings.Show(open.Text)} is opened here and not closed: "
                + $"\"}}\" is missing before {ConfigFindings.Show(head.Name.Text)} in line {head.Name.Position.Line}");
            cursor.Unclosed--;
            return head;
        }

        while (true)
        {
            List<ConfigNode> block = [];
            var opens = directive?.Opens ?? DirectiveTable.Meant(head.Name.Text, frame.Context)?.Opens ?? ConfigContexts.None;
            Head? unplaced = null;
            if (opens == ConfigContexts.None)
                SkipBlock(cursor, head.Name);
            else if (frame.Depth == MostNesting)
            {
                findings.Error(head.Name, "blocks are nested too deeply");
                SkipBlock(cursor, head.Name);
            }
            else
                unplaced = ParseBody(cursor, new Frame(opens, head.Name, frame, frame.Depth + 1), block);
            into.Add(new ConfigNode(head.Name, head.Arguments, block));
            if (unplaced is null)
                return null;
            directive = DirectiveTable.FindBlock(unplaced.Name.Text, frame.Context);
            if (directive is null || !directive.Contexts.HasFlag(frame.Context))
                return unplaced;
            head = unplaced;
        }
    }

    /// <summary>Passes over a block that is not looked at, up to the brace that closes it.</summary>
    private void SkipBlock(Cursor cursor, ConfigToken opener)
    {
        var wasMuted = findings.IsMuted;
        findings.IsMuted = true;
        var depth = 1;
        while (depth > 0 && cursor.Next.Kind != ConfigTokenKind.End)
        {
            depth += cursor.Next.Kind switch { ConfigTokenKind.Open => 1, ConfigTokenKind.Close => -1, _ => 0 };
            // The token after the last brace is looked at again, so its faults are told.
            findings.IsMuted = wasMuted || depth > 0;
            cursor.Take();
        }
        findings.IsMuted = wasMuted;
        if (depth > 0)
            findings.Error(opener, opener.Kind == ConfigTokenKind.Open
                ? "this block is never closed: \"}\" is missing"
                : $"block {ConfigFindings.Show(opener.Text)} is opened here and never closed: \"}}\" is missing");
    }
}
