using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ZeroStor.CommandLine;

/// <summary>What a verb tells: lines or one JSON document on standard output, errors and progress on standard
/// error. With <c>--json</c> errors are JSON too, one object a line. Thread-safe for errors.</summary>
internal sealed class Output(bool isJson, bool isVerbose, TextWriter lines, Stream json, TextWriter errors)
{
    private static readonly JsonWriterOptions JsonOptions = new()
    {
        // Keys are shown as they are: this is a terminal or a script, no web page.
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly Lock _gate = new();

    public bool IsJson => isJson;

    /// <summary>Errors that were told so far: a verb over many objects ends with failure if there were any.
    /// </summary>
    public int Errors { get; private set; }

    public static Output Create(bool isJson, bool isVerbose) =>
        new(isJson, isVerbose, Console.Out, Console.OpenStandardOutput(), Console.Error);

    /// <summary>A line for people; nothing with <c>--json</c>.</summary>
    public void Line(string text)
    {
        if (!isJson)
        {
            lines.WriteLine(Printable(text));
        }
    }

    /// <summary>The verb's JSON; nothing without <c>--json</c>.</summary>
    public void Json(Action<Utf8JsonWriter> write)
    {
        if (isJson)
        {
            WriteJson(json, write);
        }
    }

    /// <summary>As <see cref="Json"/>, for a verb whose standard output is the content itself.</summary>
    public void JsonToErrors(Action<Utf8JsonWriter> write)
    {
        if (isJson)
        {
            Tell(write);
        }
    }

    /// <summary>The verb's JSON where it is long: written as it is made.</summary>
    public async Task JsonAsync(Func<Utf8JsonWriter, Task> write)
    {
        await using var writer = new Utf8JsonWriter(json, JsonOptions);
        await write(writer);
        await writer.FlushAsync();
        json.WriteByte((byte)'\n');
    }

    /// <summary>A line on standard error that is no failure; nothing with <c>--json</c>.</summary>
    public void Notice(string text)
    {
        if (isJson)
        {
            return;
        }

        lock (_gate)
        {
            Bar.Clear();
            errors.WriteLine($"zs: {Printable(text)}");
        }
    }

    public void Error(Failure failure, Exception? exception = null)
    {
        lock (_gate)
        {
            Errors++;
            Bar.Clear();
            if (isJson)
            {
                Tell(w =>
                {
                    w.WriteStartObject("error");
                    w.WriteString("kind", failure.Kind);
                    w.WriteString("message", failure.Message);
                    if (isVerbose && exception is not null)
                    {
                        w.WriteString("details", exception.ToString());
                    }

                    w.WriteEndObject();
                });
            }
            else
            {
                errors.WriteLine($"zs: {Printable(failure.Message)}");
                if (isVerbose && exception is not null)
                {
                    errors.WriteLine(exception);
                }
            }
        }
    }

    /// <summary>A bar on standard error when that is a terminal.</summary>
    public Bar? Progress(string label, long? totalBytes, Func<long> doneBytes) =>
        ProgressTowards(label, () => totalBytes, doneBytes);

    /// <summary>As above, where how much there is to do changes, or shows only on the way.</summary>
    public Bar? ProgressTowards(string label, Func<long?> totalBytes, Func<long> doneBytes) =>
        isJson || Console.IsErrorRedirected ? null : new Bar(label, totalBytes, doneBytes);

    /// <summary>Keys are the world's: a control character in one must not steer the terminal.</summary>
    public static string Printable(string text)
    {
        if (!text.Any(char.IsControl))
        {
            return text;
        }

        var shown = new StringBuilder(text.Length + 8);
        foreach (char c in text)
        {
            shown.Append(
                char.IsControl(c) ? string.Create(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}") : c);
        }

        return shown.ToString();
    }

    private void Tell(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        WriteJson(buffer, write);
        errors.Write(Encoding.UTF8.GetString(buffer.ToArray()));
        errors.Flush();
    }

    private static void WriteJson(Stream to, Action<Utf8JsonWriter> write)
    {
        using var writer = new Utf8JsonWriter(to, JsonOptions);
        writer.WriteStartObject();
        write(writer);
        writer.WriteEndObject();
        writer.Flush();
        to.WriteByte((byte)'\n');
    }
}
