using System.CommandLine;
using System.Security.Cryptography;
using ZeroStor.Client;

namespace ZeroStor.CommandLine;

/// <summary><c>zs get</c>: an object into a file or to standard output, or all below a prefix into a folder.
/// A file is written beside its place and renamed when it is whole.</summary>
internal static class GetVerb
{
    private const int GetsAtOnce = 8;

    /// <summary>Objects of more than a stripe at once: each reads several stripes ahead.</summary>
    private const int LargeGetsAtOnce = 3;

    public static Command Make()
    {
        var source = new Argument<string>("VAULT/KEY") { Description = "What to get; with -r VAULT/PREFIX" };
        var target = new Argument<string?>("FILE")
        {
            Description = "Where to; - for standard output; nothing: the key's last part. With -r the folder",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var range = new Option<string>("--range")
        {
            Description = "Bytes, as in HTTP: A-B with both included, A- to the end, -N the last N",
            HelpName = "A-B",
        };
        var force = new Option<bool>("--force") { Description = "Write over files that are there" };
        Option<bool> stale = ObjectVerbs.MakeAllowStale();
        Option<string> version = Versions.MakeOption("An earlier version");
        var recursive = new Option<bool>("-r")
        {
            Description = "Get all keys below PREFIX/ into the folder, but for those that would lie outside",
        };
        return Verb.Make("get", """
            Gets an object into a file, to standard output, or all objects below a prefix into a folder.

              zs get photos/2024/sea.jpg
              zs get photos/2024/sea.jpg copy.jpg --force
              zs get backup/monday.tar - | tar x
              zs get photos/2024/sea.jpg head.bin --range 0-1023
              zs get photos/2024/sea.jpg old.jpg --version 3f2a9c04b1d85e6677f0a1b2c3d4e5f6
              zs get -r www/site site
            """, [source, target, range, force, stale, version, recursive], verb =>
        {
            string from = verb.Arguments.GetRequiredValue(source);
            string? to = verb.Arguments.GetValue(target);
            bool isForced = verb.Arguments.GetValue(force);
            ByteRange? bytes = verb.Arguments.GetValue(range) is { } text ? ByteRange.Parse(text) : null;
            VersionId? named = Versions.Parse(verb.Arguments.GetValue(version));
            if (!verb.Arguments.GetValue(recursive))
            {
                var options = new ReadOptions
                {
                    Range = bytes, AllowStale = verb.Arguments.GetValue(stale), Version = named,
                };
                return GetOneAsync(verb, Target.ParseObject(from), to, options, isForced);
            }

            return to is null or "-" || bytes is not null || named is not null || verb.Arguments.GetValue(stale)
                ? throw ZeroStorException.Invalid(
                    "With -r say the folder to write into, and neither --range, --version nor --allow-stale.")
                : GetFolderAsync(verb, Target.Parse(from), to, isForced);
        });
    }

    private static async Task GetOneAsync(
        Verb verb, Target source, string? file, ReadOptions options, bool isForced)
    {
        bool isToOutput = file == "-";
        if (!isToOutput)
        {
            file = Directory.Exists(file) ? Path.Combine(file, LocalPaths.NameOf(source.Key))
                : file ?? LocalPaths.NameOf(source.Key);
            RefuseExisting(file, isForced);
        }

        await using ZeroStorClient client = await verb.ConnectAsync();
        await using ObjectStream content = await client.Vault(source.Vault).OpenReadAsync(
            source.Key, options, verb.Cancel);
        ObjectVerbs.TellStale(verb, content.Version);
        bool isShown = !isToOutput || Console.IsOutputRedirected;
        using (isShown
            ? verb.Output.Progress(source.ToString(), content.Length, () => content.Position)
            : null)
        {
            if (isToOutput)
            {
                await WriteOutputAsync(content, verb.Cancel);
            }
            else
            {
                await WriteFileAsync(content, file!, isForced, verb.Cancel);
            }
        }

        Action<System.Text.Json.Utf8JsonWriter> json = w =>
        {
            w.WriteString("vault", source.Vault);
            ObjectVerbs.Write(w, content.Version);
            w.WriteNumber("offset", content.Offset);
            w.WriteNumber("length", content.Length);
            w.WriteString("file", file);
        };
        if (isToOutput)
        {
            verb.Output.JsonToErrors(json);
        }
        else
        {
            verb.Output.Line($"Got {source} into {file}: {Text.Bytes(content.Length)}.");
            verb.Output.Json(json);
        }
    }

    private static async Task GetFolderAsync(Verb verb, Target source, string folder, bool isForced)
    {
        await using ZeroStorClient client = await verb.ConnectAsync();
        Vault vault = client.Vault(source.Vault);
        long objects = 0;
        long bytes = 0;
        using var large = new SemaphoreSlim(LargeGetsAtOnce);
        using (verb.Output.Progress(source.ToString(), null, () => Interlocked.Read(ref bytes)))
        {
            await Parallel.ForEachAsync(
                vault.ListAsync(new ListOptions { Prefix = source.Folder }, verb.Cancel),
                new ParallelOptions { MaxDegreeOfParallelism = GetsAtOnce, CancellationToken = verb.Cancel },
                async (entry, cancel) =>
                {
                    try
                    {
                        await GetListedAsync(vault, entry, source.Folder, folder, isForced, large, cancel);
                        Interlocked.Increment(ref objects);
                        Interlocked.Add(ref bytes, entry.Size);
                    }
                    catch (Exception failure) when (Failure.IsOfOneObject(failure))
                    {
                        verb.Output.Error(Failure.Of(failure, isInterrupted: false), failure);
                    }
                });
        }

        if (objects == 0 && verb.Output.Errors == 0)
        {
            throw ZeroStorException.NotFound($"There is nothing below '{source.Vault}/{source.Folder}'.");
        }

        verb.Output.Line($"Got {objects} objects into {folder}: {Text.Bytes(bytes)}.");
        verb.Output.Json(w =>
        {
            w.WriteString("vault", source.Vault);
            w.WriteString("prefix", source.Folder);
            w.WriteNumber("objects", objects);
            w.WriteNumber("bytes", bytes);
            w.WriteNumber("errors", verb.Output.Errors);
        });
    }

    private static async Task GetListedAsync(
        Vault vault, ListEntry entry, string prefix, string folder, bool isForced, SemaphoreSlim large,
        CancellationToken cancel)
    {
        (string path, bool isFolder) = LocalPaths.Below(folder, entry.Key[prefix.Length..]);
        if (isFolder)
        {
            Directory.CreateDirectory(path);
            return;
        }

        RefuseExisting(path, isForced);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        bool isLarge = entry.Size > Geometry.MaxStripeBytes;
        if (isLarge)
        {
            await large.WaitAsync(cancel);
        }

        try
        {
            await using ObjectStream content = await vault.OpenReadAsync(entry.Key, null, cancel);
            await WriteFileAsync(content, path, isForced, cancel);
        }
        finally
        {
            if (isLarge)
            {
                large.Release();
            }
        }
    }

    private static void RefuseExisting(string path, bool isForced)
    {
        if (Directory.Exists(path))
        {
            throw new IOException($"'{path}' is a folder: say another FILE.");
        }

        if (!isForced && File.Exists(path))
        {
            throw new IOException($"'{path}' is there already: say --force to write over it.");
        }
    }

    private static async Task WriteOutputAsync(ObjectStream content, CancellationToken cancel)
    {
        try
        {
            await using Stream output = StandardStreams.OpenOutput();
            await content.CopyToAsync(output, cancel);
        }
        catch (IOException failure)
        {
            throw new IOException($"Standard output takes no more: {failure.Message.TrimEnd('.')}.", failure);
        }
    }

    private static async Task WriteFileAsync(
        ObjectStream content, string path, bool isForced, CancellationToken cancel)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        string unfinished = Path.Combine(
            folder, $".zs-{RandomNumberGenerator.GetHexString(16, lowercase: true)}.part");
        try
        {
            await using (var file = new FileStream(unfinished, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                BufferSize = 0,
                Options = FileOptions.Asynchronous,
            }))
            {
                await content.CopyToAsync(file, cancel);
            }

            // Without force this fails where a file came to be meanwhile.
            File.Move(unfinished, path, isForced);
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }
    }
}
