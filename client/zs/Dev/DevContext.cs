using System.Text.Json;

namespace ZeroStor.CommandLine.Dev;

/// <summary>The user's context file while a dev fabric is up: it names the fabric's gateways, so that all verbs
/// reach it, and its folder, so that <c>zs dev</c> finds it. What stood there before waits in the fabric's folder
/// and is put back, unless somebody else wrote the file meanwhile.</summary>
internal static class DevContext
{
    private const string Before = "context.before.json";

    private static string FilePath => Gateways.ContextPath(Environment.GetEnvironmentVariable);

    /// <summary>The dev fabric that the file names, or null.</summary>
    public static string? Folder(string path)
    {
        try
        {
            using JsonDocument context = JsonDocument.Parse(File.ReadAllText(path));
            return context.RootElement.TryGetProperty("dev", out JsonElement folder) ? folder.GetString() : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException
            or InvalidOperationException)
        {
            return null;
        }
    }

    public static string? Folder() => Folder(FilePath);

    public static void Take(string folder, IEnumerable<string> gateways) => Take(FilePath, folder, gateways);

    public static void Take(string path, string folder, IEnumerable<string> gateways)
    {
        if (Folder(path) != folder)
        {
            string before = Path.Combine(folder, Before);
            File.Delete(before);
            if (File.Exists(path))
            {
                File.Copy(path, before);
            }
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(
            path + ".new", JsonSerializer.Serialize(new { gateway = string.Join(',', gateways), dev = folder }) + "\n");
        File.Move(path + ".new", path, overwrite: true);
    }

    public static void GiveBack(string folder) => GiveBack(FilePath, folder);

    public static void GiveBack(string path, string folder)
    {
        string before = Path.Combine(folder, Before);
        if (Folder(path) == folder)
        {
            if (File.Exists(before))
            {
                File.Copy(before, path, overwrite: true);
            }
            else
            {
                File.Delete(path);
            }
        }

        File.Delete(before);
    }
}
