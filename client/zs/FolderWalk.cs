namespace ZeroStor.CommandLine;

/// <summary>What a folder holds, as it is put: files, and folders that are empty. Links are followed; what
/// cannot be put (a pipe, a socket, a device, what may not be read, a link that leads nowhere or back up) is
/// reported and left out.</summary>
internal static class FolderWalk
{
    /// <param name="Path">On this machine.</param>
    /// <param name="Relative">Below the folder that is walked; of an empty folder with a slash behind
    /// it.</param>
    /// <param name="IsEmptyFolder">Stands for an empty folder.</param>
    public readonly record struct Found(string Path, string Relative, bool IsEmptyFolder);

    /// <param name="folder">Where to begin.</param>
    /// <param name="report">Told of what is left out.</param>
    /// <exception cref="IOException"><paramref name="folder"/> is not a folder that can be read.</exception>
    public static IEnumerable<Found> Of(string folder, Action<IOException> report)
    {
        FileKind kind = FileKind.Of(folder);
        return kind.IsFolder
            ? Walk(folder, "", [kind.Identity], report)
            : throw new IOException($"'{folder}' is not a folder: leave -r out to put a file.");
    }

    private static IEnumerable<Found> Walk(
        string folder, string relative, List<(uint, uint, ulong)> above, Action<IOException> report)
    {
        string[] entries;
        try
        {
            entries = Directory.GetFileSystemEntries(folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            report(new IOException($"'{folder}' may not be read: {failure.Message}", failure));
            yield break;
        }

        if (entries.Length == 0)
        {
            yield return new Found(folder, relative, IsEmptyFolder: true);
        }

        Array.Sort(entries, StringComparer.Ordinal);
        foreach (string path in entries)
        {
            if (Look(path, above, report) is not { } kind)
            {
                continue;
            }

            string below = relative + Path.GetFileName(path);
            if (kind.IsFile)
            {
                yield return new Found(path, below, IsEmptyFolder: false);
                continue;
            }

            above.Add(kind.Identity);
            foreach (Found found in Walk(path, below + "/", above, report))
            {
                yield return found;
            }

            above.RemoveAt(above.Count - 1);
        }
    }

    private static FileKind? Look(string path, List<(uint, uint, ulong)> above, Action<IOException> report)
    {
        try
        {
            FileKind kind = FileKind.Of(path);
            if (kind.IsFile || (kind.IsFolder && !IsAbove(kind)))
            {
                return kind;
            }

            report(new IOException(kind.IsFolder
                ? $"'{path}' leads back to a folder it lies in, and was left out."
                : $"'{path}' is {kind.Name}, and was left out."));
        }
        catch (IOException failure)
        {
            report(failure);
        }

        return null;

        bool IsAbove(FileKind kind) => kind.Identity != default && above.Contains(kind.Identity);
    }
}
